"""A browser, a server that plays the API, and a page that reports what it must not do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from watched import StageProcess, Watched

HERE = Path(__file__).parent
CHROMIUM = (
    os.environ.get("UTB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--expose-gc",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Launch a browser for one module: playwright keeps its event loop running in this thread
    until it ends, and `asyncio.run` of other modules' tests must not meet it.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium here: install it, or name one in UTB_CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def stage() -> Iterator[StageProcess]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "stage.py"), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield StageProcess(process.stdout.readline().strip())
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def page(browser: Browser, stage: StageProcess) -> Iterator[Watched]:
    """Open the page; in the end it must have been quiet and asked its own host only."""
    context = browser.new_context(viewport={"width": 1440, "height": 860}, color_scheme="dark")
    watched = Watched(context.new_page(), stage.url)
    watched.open()
    yield watched
    context.close()
    watched.check()
