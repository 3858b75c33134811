"""Shared processes: one healthy bot, one server whose trading process is gone, one with keys."""

from collections.abc import Iterator

import pytest
from running import Bot, Keyed, start_bot, start_serve

from utb.api.keys import new_key


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A trading process that is served."""
    started = start_bot(tmp_path_factory.mktemp("bot"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A server without a trading process."""
    folder = tmp_path_factory.mktemp("lonely")
    started = Bot(folder / "state", None, start_serve(folder, folder / "state"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """A server with keys and a small rate limit for one of them."""
    folder = tmp_path_factory.mktemp("keyed")
    keys, lines = {}, ["[server]", "rate_limit_per_minute = 1000"]
    for name, scopes, expires in (
        ("reader", '["read"]', ""),
        ("trader", '["trade"]', ""),
        ("chief", '["read", "trade", "admin"]', ""),
        ("old", '["read", "trade", "admin"]', 'expires = "2020-01-01"'),
    ):
        keys[name], digest = new_key()
        lines += ["[[server.keys]]", f'id = "{name}"', f'sha256 = "{digest}"']
        lines += [f"scopes = {scopes}", expires]
    config = folder / "trading.toml"
    config.write_text("\n".join(lines))
    process = start_serve(folder, folder / "state", "--config", str(config))
    started = Bot(folder / "state", None, process)
    yield Keyed(started, keys)
    started.close()
