"""A stand-in with a chain, a signer and a wallet whose key the tests have."""

from collections.abc import Iterator

import pytest
from realprocs import Stand

WALLET_SEED = bytes(range(32))
FIRST_PORT = 20_400


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    made = Stand(tmp_path_factory.mktemp("live"), first_port=FIRST_PORT, seed=WALLET_SEED)
    try:
        made.start_world()
        yield made
    finally:
        made.stop()
