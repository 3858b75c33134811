"""The configuration: types, ranges and defaults, and the one way to load them."""
