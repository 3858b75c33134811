"""What the page shows."""

import re

import httpx
from playwright.sync_api import Browser, expect
from watched import StageProcess, Watched

CHART = ".chart-canvas"
COUNT_COLOR = """([selector, red, green, blue]) => {
  let count = 0;
  for (const canvas of document.querySelectorAll(selector + ' canvas')) {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count += 1;
    }
  }
  return count;
}"""
UP, SOLD, STOP = (62, 203, 151), (233, 180, 76), (245, 116, 127)


def test_chart_draws_candles_fills_and_levels(page: Watched) -> None:
    """Counted in pixels of the dark theme's colours: what is drawn, not what is meant."""
    page.expected = re.compile("willReadFrequently")
    chart = page.page.locator(CHART)
    expect(chart).to_have_attribute("data-levels", "3")
    page.page.wait_for_timeout(300)
    assert int(chart.get_attribute("data-bars") or 0) > 200
    assert int(chart.get_attribute("data-fills") or 0) > 0
    for color, least in ((UP, 500), (STOP, 500), (SOLD, 40)):
        assert page.page.evaluate(COUNT_COLOR, [CHART, *color]) > least


def test_chart_shows_every_timeframe(page: Watched) -> None:
    for name in ("1m", "5m", "1h", "4h", "15m"):
        page.press(name)
        expect(page.page.locator(".legend")).to_be_visible()
        expect(page.page.locator(".chart-note")).to_have_count(0)


def test_positions_show_price_result_and_levels(page: Watched) -> None:
    expect(page.positions).to_have_count(2)
    row = page.positions.first
    expect(row).to_contain_text("SOL-USDC")
    expect(row).to_contain_text("158.51")
    expect(row).to_contain_text("155.72")
    expect(row).to_contain_text(re.compile(r"[+\u2212][\d,]+\.\d\d"))


def test_price_moves_without_reload(page: Watched) -> None:
    price = page.page.locator(".instrument .price").first
    before = price.inner_text()
    expect(price).not_to_have_text(before, timeout=4000)
    assert sum(url.endswith("/dashboard/") for url in page.requests) == 1


def test_updates_shift_nothing(page: Watched) -> None:
    page.page.wait_for_timeout(1500)
    shift = page.page.evaluate(
        """() => new Promise((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += entry.value;
          }).observe({ type: 'layout-shift' });
          setTimeout(() => resolve(sum), 3000);
        })"""
    )
    assert shift < 0.001


def test_votes_say_why_with_their_numbers(page: Watched) -> None:
    expect(page.page.locator(".vote")).to_have_count(8)
    expect(page.page.locator(".decision")).to_contain_text("≥ 0.65")
    page.page.locator(".vote").first.click()
    sheet = page.page.locator("dialog.sheet")
    expect(sheet).to_contain_text("rsi momentum")
    expect(sheet).to_contain_text(re.compile("held|failed|input missing"))
    page.page.keyboard.press("Escape")
    page.page.locator(".decision").click()
    expect(sheet).to_contain_text("Turnout")


def test_lists_open_to_their_numbers(page: Watched) -> None:
    sheet = page.page.locator("dialog.sheet")
    opened = {
        "orders": "Attempts",
        "trades": "Timeline",
        "decisions": "Confidence",
        "refusals": "With this order",
        "alerts": "Severity",
    }
    for name, word in opened.items():
        page.page.locator(f"#tab-{name}").click()
        page.page.locator(".rows .canvas .line").first.click()
        expect(sheet).to_contain_text(word)
        page.page.keyboard.press("Escape")
        expect(sheet).to_have_count(0)
    page.page.locator(".breaker").first.click()
    expect(sheet).to_contain_text("tripped")


def test_equity_and_machine_are_shown(page: Watched) -> None:
    page.page.locator("#tab-results").click()
    expect(page.page.locator(".equity canvas")).to_have_count(2)
    expect(page.page.locator(".grid-figures")).to_contain_text("47.8%")
    page.page.locator("#tab-machine").click()
    expect(page.page.locator(".machine")).to_contain_text("Decide")
    expect(page.page.locator(".machine")).to_contain_text("birdeye")


def test_thousands_of_rows_scroll(page: Watched, stage: StageProcess) -> None:
    stage.play(trades=3000)
    page.page.reload()
    page.page.locator("#tab-trades").click()
    expect(page.page.locator("#tab-trades")).to_contain_text("3,000")
    lines = page.page.locator(".rows .canvas .line")
    for _ in range(18):
        page.page.locator(".rows").evaluate("it => { it.scrollTop = it.scrollHeight; }")
        page.page.wait_for_timeout(120)
    assert int(lines.last.get_attribute("aria-rowindex") or 0) > 2500
    assert lines.count() < 60


def test_stale_price_is_said_and_not_shown_as_live(page: Watched, stage: StageProcess) -> None:
    stage.play(stale=["JTO-USDC"])
    row = page.page.locator(".instrument", has_text="JTO-USDC")
    expect(row).to_contain_text("feed stale 41 s", timeout=8000)
    expect(row).to_have_class(re.compile("is-stale"))
    expect(row.locator(".change")).to_have_text("\u2013")
    expect(page.state).to_contain_text("Degraded", timeout=8000)


def test_silence_is_visible_and_ends(page: Watched, stage: StageProcess) -> None:
    page.expected = re.compile("WebSocket|500")
    stage.play(silent=True, broken=True)
    expect(page.page.locator(".link")).to_contain_text("no update for", timeout=12_000)
    expect(page.page.locator(".figures")).to_have_class(re.compile("is-stale"))
    stage.play(silent=False, broken=False)
    expect(page.page.locator(".link")).to_have_count(0, timeout=25_000)


def test_live_never_looks_like_paper(page: Watched, stage: StageProcess) -> None:
    expect(page.page.locator(".mode")).to_contain_text("Paper")
    expect(page.page.locator(".mode")).to_contain_text("simulated 2025-01-09")
    stage.play(mode="live")
    expect(page.page.locator(".mode.is-live")).to_contain_text("real money")
    expect(page.page.locator(".top.live")).to_be_visible()


def test_nothing_traded_teaches_what_is_missing(page: Watched, stage: StageProcess) -> None:
    stage.play(empty=True)
    page.page.reload()
    expect(page.page.locator(".tabpanel .empty")).to_contain_text("No positions yet")
    for name, word in (("orders", "No orders"), ("trades", "No trades"), ("refusals", "refused")):
        page.page.locator(f"#tab-{name}").click()
        expect(page.page.locator(".tabpanel .empty")).to_contain_text(word)


def test_key_is_asked_for_kept_and_sent(page: Watched, stage: StageProcess) -> None:
    page.expected = re.compile("401")
    stage.play(key="s3cret")
    page.page.reload()
    dialog = page.page.locator("dialog[open]")
    dialog.get_by_label("Key").fill("wrong")
    page.press("Open")
    expect(dialog).to_contain_text("does not know this key")
    dialog.get_by_label("Key").fill("s3cret")
    page.press("Open")
    expect(dialog).to_have_count(0)
    expect(page.positions).to_have_count(2)
    price = page.page.locator(".instrument .price").first
    expect(price).not_to_have_text(price.inner_text(), timeout=6000)
    assert all("s3cret" not in url for url in page.requests)


def test_theme_switch_is_kept(page: Watched) -> None:
    page.page.get_by_label("Switch to light").click()
    page.page.reload()
    expect(page.page.locator("html")).to_have_attribute("data-theme", "light")


def test_phone_begins_with_safety_and_positions(browser: Browser, stage: StageProcess) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    phone = Watched(context.new_page(), stage.url)
    phone.open()
    for name in ("Emergency stop", "Close all", "Pause"):
        expect(phone.page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    expect(phone.positions.first).to_be_in_viewport()
    expect(phone.page.locator(".vote").first).not_to_be_in_viewport()
    phone.press("Why and risk")
    expect(phone.page.locator(".vote").first).to_be_in_viewport(ratio=0.9)
    phone.press("Instruments")
    expect(phone.page.locator(".instrument").first).to_be_in_viewport(ratio=0.9)
    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    context.close()
    phone.check()


def test_policy_needs_no_inline_code(stage: StageProcess) -> None:
    """The playing server sends the strictest policy; the page itself holds nothing inline."""
    html = httpx.get(f"{stage.url}/dashboard/").text
    assert re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|<style|\bstyle=|https?://", html) is None
