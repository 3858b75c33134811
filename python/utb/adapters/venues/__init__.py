"""Venues: where submissions become fills."""
