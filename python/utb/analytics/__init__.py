"""The analytics process: the trading process's stream into ClickHouse, and its readers served."""
