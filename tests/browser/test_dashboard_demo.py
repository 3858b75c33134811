"""What the page must do over any API: the playing server, or a demo at `UTB_DASHBOARD_URL`.

Against a demo the bot trades by itself, so these wait for its first position and change nothing
before that. They leave it reset and running.
"""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from watched import Watched

WAIT_MS = 150_000
"""Wall time a demo may take to its first position."""


@pytest.fixture
def demo(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    url = os.environ.get("UTB_DASHBOARD_URL") or request.getfixturevalue("stage").url
    context = browser.new_context(viewport={"width": 1440, "height": 860})
    watched = Watched(context.new_page(), url.removesuffix("/").removesuffix("/dashboard"))
    watched.open()
    yield watched
    context.close()
    watched.check()


@pytest.mark.timeout(400)
def test_demo_is_shown_and_every_control_acts(demo: Watched) -> None:
    expect(demo.positions).not_to_have_count(0, timeout=WAIT_MS)
    demo.positions.first.click()
    chart = demo.page.locator(".chart-canvas")
    expect(chart).to_have_attribute("data-levels", re.compile("[23]"), timeout=15_000)
    expect(chart).to_have_attribute("data-fills", re.compile("[1-9]"), timeout=15_000)
    price = demo.page.locator(".instrument .price").first
    expect(price).not_to_have_text(price.inner_text(), timeout=15_000)

    demo.press("Pause")
    expect(demo.state).to_contain_text("Paused", timeout=15_000)
    demo.press("Resume")
    expect(demo.state).to_contain_text(re.compile("Running|Degraded"), timeout=15_000)
    demo.press("Safe mode")
    expect(demo.state).to_contain_text("Safe mode", timeout=15_000)

    if demo.positions.count():
        closing = demo.positions.first.get_by_role("button", name=re.compile("^Close "))
        symbol = str(closing.get_attribute("aria-label"))
        closing.click()
        demo.press("Sell at market")
        expect(demo.page.get_by_label(symbol, exact=True)).to_have_count(0, timeout=60_000)
    demo.press("Close all")
    demo.press("Sell everything")
    expect(demo.positions).to_have_count(0, timeout=60_000)

    demo.page.keyboard.press("Shift+E")
    demo.page.keyboard.press("Enter")
    expect(demo.page.locator("#emergency-said")).to_contain_text("Taken", timeout=15_000)
    demo.press("Close")
    expect(demo.state).to_contain_text("Emergency stop", timeout=15_000)
    demo.press("Reset")
    demo.press("Reset and trade")
    expect(demo.state).to_contain_text(re.compile("Running|Degraded"), timeout=15_000)
