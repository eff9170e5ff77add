"""`widget_5000_conflicts`, `widget_scroll_p95`: the widget in Chromium with five thousand conflicts.

    first render    from the press on the tab until it stands: script, styles and layout
    a scroll step   the script that runs for it (rows come and go)

Both as Chromium counts them (CDP, `Performance.getMetrics`), in its thread's own time: waiting for a frame or for a
processor is not in them. The list is there already: how fast it is fetched is the server's.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from typing import Any

from benchmarks.stage import ROOT, Tell
from demo.serving import serving

CONFLICTS = 5_000
TURNS = 5
STEPS = 100
STEP_PIXELS = 240
SCRIPT = ("ScriptDuration",)
DRAWING = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SCROLL = """(list, pixels) => new Promise(done => {
  list.addEventListener("scroll", () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true });
  list.scrollTop += pixels;
})"""


def measure(size: int, tell: Tell) -> dict[str, float]:
    """Always of five thousand conflicts. Raises FileNotFoundError where there is no Chromium."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "widget")]
    import fake  # type: ignore[import-not-found]
    from conftest import CHROMIUM_ARGUMENTS, CHROMIUMS  # type: ignore[import-not-found]
    from playwright.sync_api import sync_playwright
    from screen import Screen  # type: ignore[import-not-found]

    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        raise FileNotFoundError("Chromium is missing. Run: apt-get install chromium")
    shop = fake.fieldhouse()
    shop.conflicts = [fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00", "2.00",
                                        "3.00") for number in range(1, CONFLICTS + 1)]
    with serving(fake.make_app(shop)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 640, "height": 700})
        screen = Screen(page, url, shop)
        screen.open("conflicts")
        screen.widget.get_by_text(f"{CONFLICTS:,} conflicts in {CONFLICTS:,} rows").wait_for(timeout=60_000)
        meter = _Meter(page)
        renders = []
        for _ in range(TURNS):
            screen.widget.locator("#tab-changes").click()
            screen.widget.locator("#conflict-list").wait_for(state="detached")
            meter.frame()
            meter.start()
            screen.widget.locator("#tab-conflicts").evaluate("tab => tab.click()")
            meter.frame()
            renders.append(meter.milliseconds(DRAWING))
        steps = []
        grid = screen.widget.locator("#conflict-list")
        for _ in range(STEPS):
            meter.start()
            grid.evaluate(SCROLL, STEP_PIXELS)
            steps.append(meter.milliseconds(SCRIPT))
        browser.close()
    steps.sort()
    tell(f"{CONFLICTS:,} conflicts: drawn in {', '.join(f'{one:.0f}' for one in renders)} ms; script of a step median "
         f"{steps[STEPS // 2]:.1f} ms, p95 {steps[int(STEPS * 0.95)]:.1f} ms")
    return {"widget_5000_conflicts": statistics.median(renders), "widget_scroll_p95": steps[int(STEPS * 0.95)]}


class _Meter:
    def __init__(self, page: Any) -> None:
        self._frame = page.frames[1]
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before: dict[str, float] = {}

    def frame(self) -> None:
        self._frame.evaluate(TWO_FRAMES)

    def start(self) -> None:
        self._before = self._now()

    def milliseconds(self, names: tuple[str, ...]) -> float:
        now = self._now()
        return 1000 * sum(now[name] - self._before[name] for name in names)

    def _now(self) -> dict[str, float]:
        return {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
