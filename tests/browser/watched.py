"""A page whose errors and requests are kept."""

import re

import httpx
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

TRADED = ".rows[aria-label=Positions] .canvas .line"


class StageProcess:
    """The playing server; `play` changes what it plays."""

    def __init__(self, url: str) -> None:
        self.url = url

    def play(self, **changes: object) -> None:
        httpx.post(f"{self.url}/stage", json=changes, timeout=20).raise_for_status()


class Watched:
    """The dashboard in a tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.expected = re.compile("(?!)")
        """Console errors that a test provokes."""
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.type}: {message.text}")

    def open(self, *, ready: bool = True) -> None:
        self.page.goto(f"{self.url}/dashboard/")
        if ready:
            expect(self.page.locator(".chart-canvas[data-bars]")).to_be_visible()
            expect(self.page.locator(".instrument")).not_to_have_count(0)
            expect(self.state).not_to_contain_text("No state yet")

    def check(self) -> None:
        foreign = [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]
        assert foreign == [], foreign
        said = [error for error in self.errors if not self.expected.search(error)]
        assert said == [], said

    @property
    def state(self) -> Locator:
        return self.page.locator(".pill")

    @property
    def positions(self) -> Locator:
        return self.page.locator(TRADED)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
