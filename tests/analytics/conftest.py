"""One store with a journal's records in it, for tests that only read."""

from collections.abc import Iterator

import pytest
from story import TRADES, story, write_journal

from process import Analytics, published, running


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analytics]:
    state_dir = tmp_path_factory.mktemp("store")
    journal = write_journal(state_dir, story(TRADES))
    limits = (
        "analytics.query_seconds_max=1.0",
        "analytics.result_rows_max=100000",
        "analytics.query_memory_mib_max=256",
    )
    settings = [part for limit in limits for part in ("--set", limit)]
    with published(journal), running(state_dir, *settings) as analytics:
        analytics.wait_for("SELECT max(seq) FROM utb.events", journal.durable_seq)
        yield analytics
    journal.close()
