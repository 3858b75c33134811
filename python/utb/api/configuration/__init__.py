"""The effective configuration, and routes of later versions."""
