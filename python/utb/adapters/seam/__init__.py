"""The seam between the trading process and its readers: framing, server, client."""
