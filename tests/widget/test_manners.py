"""What holds of every screen and state: no finding of axe-core in light and dark, no English in German, one filled
button, colours of Grist's theme only, nothing wider than the page from 280 px on."""
from __future__ import annotations

import re
from typing import Any

import fake
import pytest
from german import SAID, not_german
from scenes import SCENES, open_scene, wear
from screen import Screen

FINDINGS = """async (rules) => {
  const options = { resultTypes: ['violations'], selectors: false, iframes: false };
  if (rules) options.runOnly = { type: 'rule', values: rules };
  const why = (node) => node.failureSummary.replace(/\\s+/g, ' ').slice(0, 260);
  const said = (one, node) => `${one.id}: ${node.html.slice(0, 120)} ${why(node)}`;
  const found = await axe.run(document, options);
  return found.violations.flatMap((one) => one.nodes.map((node) => said(one, node)));
}"""
"""Findings of axe-core as text; without selectors, which it takes longer to make than to look."""


LOOKS = """() => ({
  filled: document.querySelectorAll('.button.filled').length,
  wide: [...document.querySelectorAll('#app, .scroll, .table, .tools:not(.selection), .footer, .bar, .steps')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className || one.id),
})"""


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_keeps_the_manners(screen: Screen, name: str) -> None:
    """One visit answers everything. It is made in German: its words are the longer ones."""
    open_scene(screen, name, language="de")
    frame = screen.frame
    assert frame.evaluate("document.documentElement.lang") == "de"
    said: list[str] = frame.evaluate(SAID)
    assert len(said) > 1
    assert not_german(said) == []
    frame.add_script_tag(url="/axe.js")
    assert frame.evaluate(FINDINGS, None) == []
    dark = fake.theme("dark")
    if dark and "-" not in name:  # the other scenes of a screen are drawn in the same colours
        wear(screen, "dark")
        assert frame.evaluate(FINDINGS, ["color-contrast"]) == []
    assert dark or not fake.SHARED.exists(), "the recording of Grist's themes is not where it was"
    for width in (1280, 480, 320, 280):
        screen.page.set_viewport_size({"width": width, "height": 480})
        screen.settle()  # the tabs measure themselves after the resize
        looks: dict[str, Any] = frame.evaluate(LOOKS)
        assert (looks["wide"], looks["filled"] <= 1) == ([], True), (width, looks)


def test_the_sheet_names_a_colour_only_as_the_fallback_of_a_variable_of_the_theme() -> None:
    sheets = "".join((fake.WIDGET / name).read_text() for name in ("style.css", "lists.css", "screens.css"))
    sheet = re.sub(r"/\*.*?\*/", "", sheets, flags=re.S)
    colour = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\([^)]*\)|\bhsla?\(")
    fallback = re.compile(r"var\(--grist-theme-[a-z-]+, (#[0-9a-fA-F]{3,8}|rgba?\([^)]*\))\)")
    named = re.findall(r"^  --[a-z-]+: (.*);$", sheet, flags=re.M)
    assert sum(len(fallback.findall(line)) for line in named) == 35
    rest = fallback.sub("", sheet)
    assert [found for found in colour.findall(rest) if not found.startswith("#root")] == []
    names = "black|white|red|green|grey|gray"
    words = rf"(?<![\w.-])(?:color|background|border|fill|stroke)[a-z-]*:[^;]*\b(?:{names})\b[^;]*"
    plain = re.sub(r"var\([^()]*\)", "", rest)  # names of ours are no colours
    assert set(re.findall(words, plain)) == {"background: color-mix(in srgb,  88%, black)"}
    for view in sorted(fake.WIDGET.rglob("*.js")):
        if "vendor" not in view.parts:
            assert not re.search(r"style=[^>]*(?:#[0-9a-f]{3,6}\b|rgb)", view.read_text()), view
