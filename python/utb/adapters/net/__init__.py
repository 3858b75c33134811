"""What every connection to the outside shares: budgets, back-off, HTTP, WebSocket, redaction."""
