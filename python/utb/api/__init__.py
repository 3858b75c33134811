"""The HTTP and WebSocket interface of `utb serve`, over a replica of the trading process."""
