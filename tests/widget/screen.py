"""The widget's page as a person has it, for every test that looks at it."""
from __future__ import annotations

from typing import Any

import fake
from playwright.sync_api import ConsoleMessage, Frame, FrameLocator, Locator, Page

QUERY = "access=full&readonly=false&culture=en-GB&language=en-US&timeZone=Europe/Oslo&currency=USD"


class Screen:
    """The page as a person has it: `widget` is the frame, `shop` what the backend knows."""

    language = "en"
    """What the widget was opened in."""

    def __init__(self, page: Page, url: str, shop: fake.Shop) -> None:
        self.page, self.url, self.shop = page, url, shop
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self.heard)

    def heard(self, line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            self.errors.append(line.text)

    @property
    def widget(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def open(self, tab: str = "", query: str = QUERY) -> None:
        self.page.goto(f"{self.url}/host?{query}")
        if tab:
            self.widget.locator(f"#tab-{tab}").click()

    def value(self, conflict: int, column: str) -> Locator:
        return self.widget.locator(f'[data-conflict="{conflict}"] [data-column="{column}"]')

    def look_again(self) -> None:
        """What a poll ten seconds later would do, now: the widget looks again when a tab is pressed."""
        self.widget.locator('[role=tab][aria-selected=true]').click()

    @property
    def frame(self) -> Frame:
        """The widget's frame once its scripts have run. A page may be loaded before the frame within it has begun."""
        self.widget.locator("body").wait_for(state="attached")
        frame = self.page.frames[1]
        frame.wait_for_function("window.fakeGrist && document.readyState === 'complete'")
        return frame

    def settle(self) -> None:
        """Comes back when nothing is asked for and all that was answered is drawn."""
        self.frame.evaluate("""async () => {
          // A screen that is on its way is no request of ours, but an empty place.
          const busy = () => window.fakeGrist.pending || document.querySelector(".scroll[aria-busy]");
          for (let calm = 0; calm < 3; calm = busy() ? 0 : calm + 1) {
            await new Promise((go) => requestAnimationFrame(go));
          }
        }""")

    def fake_grist(self, call: str) -> object:
        return self.frame.evaluate(f"fakeGrist.{call}")

    def asked(self, method: str, path: str) -> list[Any]:
        """The bodies sent to an address, oldest first."""
        with self.shop.lock:
            return [body for one, at, body in self.shop.asked if (one, at) == (method, path)]

    def wait_asked(self, method: str, path: str) -> Any:
        """The first body sent there."""
        for _ in range(160):
            if found := self.asked(method, path):
                return found[0]
            self.page.wait_for_timeout(25)
        raise AssertionError(f"nothing was sent to {method} {path}")
