"""Each control acts, asks where it must, and shows what became of it."""

import re

from playwright.sync_api import Request, Route, expect
from watched import StageProcess, Watched

from utb.api.idempotency import KEY_CHARS_MAX


def names_of(page: Watched, path: str) -> list[str]:
    """Collect the idempotency key of every command that goes to a path from now on."""
    names: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith(path):
            names.append(request.headers["idempotency-key"])

    page.page.on("request", note)
    return names


def lose_first(page: Watched, path: str) -> None:
    """Lose the first answer of a path: the command is taken, and the page does not hear it."""
    page.expected = re.compile("ERR_FAILED")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.page.route(f"**{path}", lose, times=1)


def test_pause_and_resume(page: Watched) -> None:
    page.press("Pause")
    expect(page.state).to_contain_text("Paused")
    expect(page.page.locator(".notices")).to_contain_text("in force")
    page.press("Resume")
    expect(page.state).to_contain_text("Running")


def test_safe_mode(page: Watched) -> None:
    page.press("Safe mode")
    expect(page.state).to_contain_text("Safe mode")
    expect(page.page.get_by_role("button", name="Safe mode", exact=True)).to_be_disabled()


def test_close_asks_once_and_sells(page: Watched) -> None:
    page.page.get_by_label("Close SOL-USDC").click()
    dialog = page.page.locator("dialog[open]")
    expect(dialog).to_contain_text(re.compile(r"Sells all .* about 8,\d{3} USDC"))
    page.press("Sell at market")
    expect(page.positions).to_have_count(1, timeout=8000)
    expect(page.page.locator(".notices")).to_contain_text("sold")
    page.page.locator("#tab-trades").click()
    expect(page.page.locator(".rows .canvas .line").first).to_contain_text("manual", timeout=8000)


def test_close_takes_a_fraction(page: Watched) -> None:
    page.page.get_by_label("Close SOL-USDC").click()
    page.page.get_by_text("50%", exact=True).click()
    expect(page.page.locator("dialog[open]")).to_contain_text("Sells 50%")
    page.press("Sell at market")
    expect(page.positions.first).to_contain_text("27.528", timeout=8000)


def test_cancelled_question_does_nothing(page: Watched) -> None:
    page.press("Close all")
    page.press("Cancel")
    page.page.wait_for_timeout(1500)
    expect(page.positions).to_have_count(2)
    assert not any("close_all" in url for url in page.requests)


def test_close_all_says_what_it_sells(page: Watched) -> None:
    page.press("Close all")
    expect(page.page.locator("dialog[open]")).to_contain_text(
        re.compile(r"Sells 2 positions at market, about \d\d,\d{3} USDC")
    )
    page.press("Sell everything")
    expect(page.page.locator(".notices")).to_contain_text(re.compile("of 2 sold|sold"))
    expect(page.positions).to_have_count(0, timeout=8000)


def test_emergency_stop_by_keyboard_and_reset(page: Watched) -> None:
    page.page.keyboard.press("Shift+E")
    expect(page.page.locator("#emergency")).to_contain_text("Sells 2 positions")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")
    page.page.keyboard.press("Enter")
    expect(page.state).to_contain_text("Emergency stop")
    page.press("Reset")
    page.press("Reset and trade")
    expect(page.state).to_contain_text("Running")


def test_emergency_stop_is_one_click_and_one_confirmation(page: Watched) -> None:
    page.press("Emergency stop")
    page.press("Stop everything now")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")


def test_emergency_stop_works_while_the_api_is_broken(page: Watched, stage: StageProcess) -> None:
    page.expected = re.compile("500|WebSocket")
    stage.play(broken=True, silent=True)
    page.press("Emergency stop")
    page.press("Stop everything now")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")


def test_emergency_stop_works_without_the_page_itself(page: Watched) -> None:
    page.expected = re.compile("ERR_FAILED")
    page.page.route("**/dashboard/index.js", lambda route: route.abort())
    page.open(ready=False)
    page.press("Emergency stop")
    page.press("Stop everything now")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")


def test_emergency_stop_says_when_it_did_not_work(page: Watched) -> None:
    page.expected = re.compile("ERR_FAILED")
    page.page.route("**/emergency_stop", lambda route: route.abort())
    page.press("Emergency stop")
    page.press("Stop everything now")
    expect(page.page.locator("#emergency-said")).to_contain_text("Not stopped")
    expect(page.page.locator("#emergency-said")).to_contain_text("utb emergency-stop")
    expect(page.page.get_by_role("button", name="Try again")).to_be_focused()


def test_refused_command_says_why(page: Watched, stage: StageProcess) -> None:
    page.expected = re.compile("500")
    stage.play(broken=True)
    page.press("Pause")
    expect(page.page.locator(".notice.failed")).to_contain_text("broken on purpose")


def test_command_without_answer_is_tried_again_under_its_name(page: Watched) -> None:
    lose_first(page, "/close_all")
    names = names_of(page, "/close_all")
    page.press("Close all")
    page.press("Sell everything")
    expect(page.page.locator(".notice.failed")).to_contain_text("may have been taken")
    page.press("Try again")
    expect(page.page.locator(".notice.done")).to_contain_text("sold", timeout=8000)
    expect(page.page.locator(".notice.failed")).to_have_count(0)
    assert len(names) == 2
    assert len(set(names)) == 1


def test_every_action_has_its_own_name(page: Watched) -> None:
    paused, resumed = names_of(page, "/pause"), names_of(page, "/resume")
    for _ in range(2):
        page.press("Pause")
        expect(page.state).to_contain_text("Paused")
        page.press("Resume")
        expect(page.state).to_contain_text("Running")
    names = [*paused, *resumed]
    assert len(set(names)) == 4
    assert all(1 <= len(name) <= KEY_CHARS_MAX for name in names)


def test_emergency_stop_tries_again_under_its_name(page: Watched) -> None:
    lose_first(page, "/emergency_stop")
    names = names_of(page, "/emergency_stop")
    page.press("Emergency stop")
    page.press("Stop everything now")
    page.press("Try again")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")
    page.press("Close")
    page.press("Emergency stop")
    page.press("Stop everything now")
    expect(page.page.locator("#emergency-said")).to_contain_text("Taken")
    first, again, later = names
    assert first == again
    assert later != first
