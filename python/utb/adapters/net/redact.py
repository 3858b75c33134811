"""Texts of the other side, made fit for errors, logs and answers."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from utb.config.table import Secret
from utb.config.values import MASK, mask_url

TEXT_CHARS_MAX: Final = 160


class Redactor:
    """Removes known secrets, credentials in URLs and control characters, and cuts to a length."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        """Know what must never be shown."""
        texts = {secret.reveal() for secret in secrets if secret}
        forms = {form for text in texts for form in (text, quote(text, safe=""), quote_plus(text))}
        # Longest first, so that no part of one is left over by another.
        self._forms = tuple(sorted(forms, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """Return the text as it may be shown."""
        for form in self._forms:
            text = text.replace(form, MASK)
        words = (mask_url(word) for word in text.split())
        printable = "".join(c if c.isprintable() else "?" for c in " ".join(words))
        if len(printable) <= TEXT_CHARS_MAX:
            return printable
        return printable[: TEXT_CHARS_MAX - 3] + "..."
