"""What the core refuses, as the package's exceptions."""

from utb.errors import UsageError


def usage_error(error: ValueError) -> UsageError:
    """Return a refusal of the core; it carries `field`, `value` and `expected`."""
    field, value, expected = (
        getattr(error, name, fallback)
        for name, fallback in (("field", "input"), ("value", "not valid"), ("expected", str(error)))
    )
    return UsageError(field, value, expected)
