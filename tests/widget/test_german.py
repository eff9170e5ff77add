"""The widget in German: what Grist or the settings say. What the backend says in its own words stays as it is."""
from __future__ import annotations

import json
import re
from typing import Any

import fake
import pytest
from playwright.sync_api import expect
from scenes import SCENES, open_scene
from screen import QUERY, Screen

SAID = """() => {
  const said = [];
  const walk = document.createTreeWalker(document.getElementById('app'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) said.push(walk.currentNode.data.trim());
  for (const one of document.querySelectorAll('#app *')) {
    for (const name of ['aria-label', 'data-tip', 'placeholder', 'title']) said.push(one.getAttribute(name)?.trim());
  }
  return [...new Set(said.filter((one) => one && /[A-Za-z]/.test(one)))];
}"""


def sentences(language: str) -> dict[str, str]:
    """{"bar.sync": "Sync", "bar.conflicts.one": "{n} conflict"}"""
    found: dict[str, str] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, str):
            found[path] = node
        else:
            for key, value in node.items():
                walk(value, f"{path}.{key}".lstrip("."))

    walk(json.loads((fake.WIDGET / "i18n" / f"{language}.json").read_text()), "")
    return found


def english_only() -> list[re.Pattern[str]]:
    """Every English text that no German one could be, as a pattern; a sentence with bold parts gives one for each part.

    Lower-case single words are left out: the shop's own data has some, such as a status.
    """
    german = set(sentences("de").values())
    patterns = []
    for text in sentences("en").values():
        for part in text.split("**"):
            own = re.sub(r"\{\w+\}|Shopify|Grist|[^A-Za-z]", "", part)
            if text not in german and len(own) > 4:
                pieces = re.split(r"\{\w+\}", part.strip())
                patterns.append(re.compile(".+".join(re.escape(one) for one in pieces)))
    return patterns


FROM_THE_BACKEND = {"Products", "Variants", "Inventory", "Orders", "Customers", "Whole row", "Fulfil", "Cancel",
                    "Close", "Description", "Order, $78.00, 2 lines"}
"""Names of tables, fields and actions that the backend gives; a document in German has German ones."""


@pytest.mark.parametrize("name", SCENES)
def test_no_english_and_no_key_is_seen(screen: Screen, name: str) -> None:
    open_scene(screen, name, language="de")
    said: list[str] = screen.page.frames[1].evaluate(SAID)
    assert len(said) > 1
    patterns = english_only()
    assert [one for one in said if one not in FROM_THE_BACKEND and any(each.fullmatch(one) for each in patterns)] == []
    keys = {key.rsplit(".", 1)[0] if key.endswith((".one", ".other")) else key for key in sentences("en")}
    assert [one for one in said if one in keys or re.search(r"\{\w+\}", one)] == []
    assert screen.page.frames[1].evaluate("document.documentElement.lang") == "de"


def test_a_language_that_is_not_there_is_english(screen: Screen) -> None:
    screen.open(query=QUERY.replace("language=en-US", "language=nb-NO"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Overview")
    screen.open(query=QUERY.replace("language=en-US", "language=de-AT"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Übersicht")
