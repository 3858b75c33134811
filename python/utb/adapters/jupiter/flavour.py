"""Which of the aggregator's APIs an address means."""

from enum import StrEnum
from typing import Final

from utb.adapters.net.endpoint import Endpoint

SETTING: Final = "api.jupiter.base_url"


class Flavour(StrEnum):
    """Forms of its API."""

    BUILD = "swap/v2"
    """Today's: one GET returns quote and instructions."""
    METIS = "swap/v1"
    """A quote, then instructions for it."""
    GUIDE = "v6"
    """The user guide's; paths as `swap/v1`."""


def flavour_of(url: str) -> tuple[Flavour, Endpoint]:
    """Return the form and the address its paths hang on.

    An address that ends in a form's own path is that form; a bare `quote-api` host is the guide's;
    any other is today's.
    """
    place = Endpoint.of(url, SETTING)
    for flavour in Flavour:
        if place.path.endswith(f"/{flavour}"):
            return flavour, place
    flavour = Flavour.GUIDE if place.host.startswith("quote-api.") else Flavour.BUILD
    scheme_host = f"{place.scheme}://{place.authority}"
    return flavour, Endpoint.of(f"{scheme_host}{place.path}/{flavour}", SETTING)


def advice(flavour: Flavour) -> str:
    """Return what to try when an address does not answer as its form does."""
    if flavour is Flavour.BUILD:
        return f"check {SETTING} and JUPITER_API_KEY"
    return (
        f'{SETTING} is an address of the older API {flavour}: set it to "https://api.jup.ag" for '
        "the present one"
    )
