"""Budgets of endpoints, and which endpoints there are."""

import asyncio

import pytest
import uvloop
from node_stand import (
    CANARY,
    FAST,
    Node,
    World,
    config_with,
    pool_of,
)
from pool_answers import good, with_nodes

from utb.adapters.rpc import calls
from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.place import places, redactor
from utb.adapters.rpc.pool import RpcPool
from utb.config.secrets import Secrets
from utb.config.table import Secret
from utb.errors import ConfigError

# Budgets


def test_ordinary_calls_leave_the_reserve_to_urgent_ones() -> None:
    """Of 10 a second 3 are kept: ordinary calls get 7 of them, urgent ones the rest."""

    async def run() -> tuple[int, int]:
        world, node = World(), Node()
        text = "[rpc]\nrequests_per_second = 10\nheights_seconds = 3600.0\nexit_reserve = 0.3\n"
        async with pool_of(node, text=text, rate=10, world=world) as pool:
            await world.run_for(3)
            call = calls.rent_minimum(0)
            ordinary = await asyncio.gather(*(pool.ask("a", call) for _ in range(10)))
            urgent = await asyncio.gather(*(pool.ask("a", call, urgent=True) for _ in range(10)))
            refused = [answer for answer in (*ordinary, *urgent) if isinstance(answer, Bad)]
            assert {answer.reason for answer in refused} == {"budget"}
            return (
                sum(isinstance(answer, Good) for answer in ordinary),
                sum(isinstance(answer, Good) for answer in urgent),
            )

    assert uvloop.run(run()) == (7, 3)


def test_history_has_a_budget_of_its_own() -> None:
    async def work(pool: RpcPool) -> None:
        call = calls.signatures_for("x")
        answers = [await pool.ask("a", call, urgent=True) for _ in range(4)]
        assert [isinstance(answer, Good) for answer in answers] == [True, True, False, False]
        good(await pool.ask("a", calls.rent_minimum(0)))

    with_nodes(
        work, Node(), text=FAST.replace("history_per_second = 10000", "history_per_second = 2")
    )


# Which endpoints there are


def test_endpoints_come_from_environment_and_file() -> None:
    text = """
    [[rpc.endpoints]]
    name = "own"
    url = "http://127.0.0.1:8899/some/path/"
    requests_per_second = 5
    """
    secrets = Secrets(
        quicknode_rpc_url=Secret(f"https://x.solana-mainnet.quiknode.pro/{CANARY}/"),
        helius_api_key=Secret("hel-" + CANARY),
    )
    found = places(config_with(text), secrets)
    assert [(p.name, p.http.scheme, p.http.host, p.http.port) for p in found] == [
        ("quicknode", "https", "x.solana-mainnet.quiknode.pro", 443),
        ("helius", "https", "mainnet.helius-rpc.com", 443),
        ("own", "http", "127.0.0.1", 8899),
    ]
    assert [p.socket.scheme for p in found] == ["wss", "wss", "ws"]
    assert found[0].http.path == f"/{CANARY}"
    assert found[1].revealed_query() == {"api-key": "hel-" + CANARY}
    assert [p.requests_per_second for p in found] == [25, 25, 5]
    assert CANARY not in repr(found)
    cleaned = redactor(found).clean(f"failed: https://q.pro/{CANARY}/ and hel-{CANARY}")
    assert CANARY not in cleaned


@pytest.mark.parametrize(
    "url",
    [
        f"http://x.quiknode.pro/{CANARY}/",
        f"ftp://x.quiknode.pro/{CANARY}/",
        f"https://x.quiknode.pro:99999/{CANARY}/",
        CANARY,
        "https://",
    ],
)
def test_address_that_cannot_be_used_is_an_error_without_the_key(url: str) -> None:
    """The first one would send the key in the clear."""
    with pytest.raises(ConfigError) as caught:
        places(config_with(), Secrets(quicknode_rpc_url=Secret(url)))
    assert "QUICKNODE_RPC_URL = ***: expected" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_key_may_go_unencrypted_within_the_machine() -> None:
    secrets = Secrets(quicknode_rpc_url=Secret(f"http://127.0.0.1:8899/{CANARY}/"))
    assert [place.name for place in places(config_with(), secrets)] == ["quicknode"]


@pytest.mark.parametrize("name", ["own", "helius", "quicknode"])
def test_endpoints_need_names_of_their_own(name: str) -> None:
    """Those of the environment have theirs already; senders are told apart by them."""
    table = '[[rpc.endpoints]]\nname = "{}"\nurl = "https://rpc.example.org"\n'
    with pytest.raises(ConfigError) as caught:
        config_with(table.format("own") + table.format(name))
    assert "rpc.endpoints[1].name: expected a name of its own" in str(caught.value)


def test_key_in_a_files_address_is_refused() -> None:
    """A query is where keys are: they belong into the environment."""
    url = f"https://rpc.example.org/?api-key={CANARY}"
    with pytest.raises(ConfigError) as caught:
        config_with(f'[[rpc.endpoints]]\nname = "own"\nurl = "{url}"\n')
    assert CANARY not in str(caught.value)
    assert "keys belong in .env" in str(caught.value)
