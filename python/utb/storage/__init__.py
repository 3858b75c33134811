"""Journals: where durable records and bars are kept."""
