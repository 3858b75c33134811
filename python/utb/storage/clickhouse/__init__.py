"""The ClickHouse store: its schema, what is written to it and how, embedded or on a server."""
