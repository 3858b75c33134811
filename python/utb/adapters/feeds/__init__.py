"""Feeds: one file per source of items."""
