"""Shared processes: one healthy bot, one server whose trading process is gone, one with keys."""

from collections.abc import Iterator

import pytest
from running import Bot, Keyed, start_bot, start_serve

from utb.api.keys import new_key

_RUNNING: list[Bot] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the shared processes behind the last test here: they take time from all that follow."""
    if nextitem is not None and nextitem.path.parent != item.path.parent:
        while _RUNNING:
            _RUNNING.pop().close()


@pytest.fixture(scope="session")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A trading process that is served."""
    started = start_bot(tmp_path_factory.mktemp("bot"))
    _RUNNING.append(started)
    yield started
    started.close()


@pytest.fixture(scope="session")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A server without a trading process."""
    folder = tmp_path_factory.mktemp("lonely")
    started = Bot(folder / "state", None, start_serve(folder, folder / "state"))
    _RUNNING.append(started)
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
    _RUNNING.append(started)
    yield Keyed(started, keys)
    started.close()
