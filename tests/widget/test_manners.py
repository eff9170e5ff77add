"""What holds of every screen and state: no finding of axe-core in light and dark, one filled button, colours of Grist's
theme only, nothing wider than the page."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import fake
import pytest
from scenes import SCENES, open_scene, wear
from screen import Screen

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
FINDINGS = """async (rules) => {
  const found = await axe.run(document, rules ? { runOnly: { type: 'rule', values: rules } } : {});
  const said = (one, node) => `${one.id}: ${node.target} ${node.failureSummary.replace(/\\s+/g, ' ').slice(0, 260)}`;
  return found.violations.flatMap((one) => one.nodes.map((node) => said(one, node)));
}"""


@pytest.mark.parametrize("name", SCENES)
def test_axe_finds_nothing_in_light_and_dark(screen: Screen, name: str) -> None:
    open_scene(screen, name)
    frame = screen.page.frames[1]
    frame.evaluate(AXE)
    light: list[str] = frame.evaluate(FINDINGS, None)
    assert light == []
    if not fake.theme("dark"):
        pytest.skip("the recording of Grist's themes is not at hand, so there is no dark")
    wear(screen, "dark")
    dark: list[str] = frame.evaluate(FINDINGS, ["color-contrast"])
    assert dark == []


LOOKS = """() => ({
  filled: document.querySelectorAll('.button.filled').length,
  wide: [...document.querySelectorAll('#app, .scroll, .tools, .footer, .bar, .steps')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className || one.id),
})"""


@pytest.mark.parametrize("name", SCENES)
def test_one_filled_button_and_nothing_wider_than_the_page(screen: Screen, name: str) -> None:
    open_scene(screen, name)
    screen.page.set_viewport_size({"width": 320, "height": 640})
    # Two frames: the tabs measure themselves after the resize.
    screen.page.frames[1].evaluate("() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
    looks: dict[str, Any] = screen.page.frames[1].evaluate(LOOKS)
    assert looks["filled"] <= 1
    assert looks["wide"] == []


def test_the_sheet_names_a_colour_only_as_the_fallback_of_a_variable_of_the_theme() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", (fake.WIDGET / "style.css").read_text(), flags=re.S)
    colour = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\([^)]*\)|\bhsla?\(")
    fallback = re.compile(r"var\(--grist-theme-[a-z-]+, (#[0-9a-fA-F]{3,8}|rgba?\([^)]*\))\)")
    named = re.findall(r"^  --[a-z-]+: (.*);$", sheet, flags=re.M)
    assert sum(len(fallback.findall(line)) for line in named) == 35
    rest = fallback.sub("", sheet)
    assert [found for found in colour.findall(rest) if not found.startswith("#root")] == []
    words = r"(?<![\w.-])(?:color|background|border|fill|stroke)[a-z-]*:[^;]*\b" \
        r"(?:black|white|red|green|grey|gray)\b[^;]*"
    plain = re.sub(r"var\([^()]*\)", "", rest)  # names of ours are no colours
    assert set(re.findall(words, plain)) == {"background: color-mix(in srgb,  88%, black)"}
    for view in sorted(fake.WIDGET.rglob("*.js")):
        if "vendor" not in view.parts:
            assert not re.search(r"style=[^>]*(?:#[0-9a-f]{3,6}\b|rgb)", view.read_text()), view
