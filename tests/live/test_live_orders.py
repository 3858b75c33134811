"""The short form of `just live-orders`: the chain's balances are the ledger's, to the lamport."""

from pathlib import Path

import pytest
from orders import main


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_orders_over_every_venue_leave_chain_and_ledger_equal(tmp_path: Path) -> None:
    arguments = ("--count", "40", "--seed", "11", "--hard", "0.35", "--port", "8760")
    assert main((*arguments, "--state", str(tmp_path))) == 0
