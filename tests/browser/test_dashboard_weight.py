"""Size, memory, legibility and looks of the page."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect
from watched import StageProcess, Watched

WEB = Path(__file__).resolve().parents[2] / "python" / "utb" / "web"
JAVASCRIPT_MAX = 300_000
HEAP_GROWTH_MAX = 3_000_000
UPDATES = 3000
"""Ten minutes at five a second."""
SCREENS = {"desktop": {"width": 1440, "height": 860}, "phone": {"width": 390, "height": 844}}
CONTRAST = Path(__file__).with_name("contrast.js")


def test_javascript_is_at_most_300_kb() -> None:
    sizes = {str(path): path.stat().st_size for path in WEB.rglob("*.js")}
    assert sizes
    assert sum(sizes.values()) <= JAVASCRIPT_MAX


def measured(session: CDPSession) -> dict[str, float]:
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics: dict[str, Any] = session.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in metrics["metrics"]}


@pytest.mark.timeout(180)
def test_memory_is_flat_over_ten_minutes_of_updates(page: Watched, stage: StageProcess) -> None:
    session = page.page.context.new_cdp_session(page.page)
    session.send("Performance.enable")
    flood(page, stage, 1)
    before = measured(session)
    flood(page, stage, 2)
    after = measured(session)
    assert after["JSHeapUsedSize"] - before["JSHeapUsedSize"] < HEAP_GROWTH_MAX
    assert after["Nodes"] <= before["Nodes"] * 1.2
    assert after["JSEventListeners"] <= before["JSEventListeners"] * 1.2


def flood(page: Watched, stage: StageProcess, number: int) -> None:
    stage.play(flood=UPDATES, speed=5)
    page.page.locator("#tab-alerts").click()
    over = page.page.locator(".rows .line", has_text=f"Flood {number} over")
    expect(over).to_be_visible(timeout=60_000)
    page.page.locator("#tab-positions").click()
    page.page.wait_for_timeout(1500)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_screens_are_legible(
    browser: Browser, stage: StageProcess, scheme: Any, screen: str
) -> None:
    """Text has the contrast of WCAG AA; pictures go to the folder of `UTB_SCREENSHOTS`."""
    context = browser.new_context(viewport=SCREENS[screen], color_scheme=scheme)  # type: ignore[arg-type]
    watched = Watched(context.new_page(), stage.url)
    watched.open()
    watched.page.wait_for_timeout(1500)
    low = []
    tabs = ["trades", "refusals", "results", "machine", "positions"]
    for name in tabs:
        watched.page.locator(f"#tab-{name}").click()
        watched.page.wait_for_timeout(700)
        low += watched.page.evaluate(CONTRAST.read_text())
        picture(watched, f"{scheme}-{screen}-{name}")
    watched.press("Close all")
    low += watched.page.evaluate(CONTRAST.read_text())
    watched.press("Cancel")
    if screen == "phone":
        for name in ("Instruments", "Why and risk"):
            watched.press(name)
            watched.page.wait_for_timeout(900)
            picture(watched, f"{scheme}-phone-{name.split()[0].lower()}")
    context.close()
    watched.check()
    assert low == []


def picture(watched: Watched, name: str) -> None:
    folder = os.environ.get("UTB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        watched.page.screenshot(path=Path(folder) / f"{name}.png")


def test_reduced_motion_is_respected(browser: Browser, stage: StageProcess) -> None:
    context = browser.new_context(reduced_motion="reduce")
    watched = Watched(context.new_page(), stage.url)
    watched.open()
    watched.press("Pause")
    notice = watched.page.locator(".notice").first
    assert notice.evaluate("it => getComputedStyle(it).animationName") == "none"
    context.close()


def test_controls_have_names_and_the_stop_is_reached_early(page: Watched) -> None:
    unnamed = page.page.evaluate(
        """() => [...document.querySelectorAll('button, a, input')]
          .filter((it) => !(it.textContent.trim() || it.ariaLabel || it.title || it.labels?.length))
          .map((it) => it.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    seen = []
    for _ in range(8):
        page.page.keyboard.press("Tab")
        seen.append(page.page.evaluate("document.activeElement.textContent"))
    assert any(re.search("Emergency stop", text) for text in seen), seen
