"""Parts of a session whose files have grown past what a full disk allows."""

from collections.abc import Iterator
from pathlib import Path

import fulldisk
import pytest


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test opened, with nothing written any more: it was killed."""
    yield
    while fulldisk.left:
        parts = fulldisk.left.pop()
        parts.tape._log._file.close()
        parts.journal._db.close()
        parts.reserve.close()


@pytest.fixture
def parts(tmp_path: Path) -> fulldisk.Parts:
    """Return parts whose files have grown: ten records, ten inputs, then bulk."""
    made = fulldisk.opened(tmp_path)
    for number in range(1, 11):
        made.take(number)
    made.journal.note("bulk", "x" * fulldisk.LENGTH)
    made.take(11, fulldisk.LENGTH)
    made.journal.sync()
    return made
