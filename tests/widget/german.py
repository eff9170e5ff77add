"""What of a screen's words is English where it should be German, found by the sentences of the language files."""
from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import fake

from backend.shopify.resources import RESOURCES

SAID = """() => {
  const said = [];
  const walk = document.createTreeWalker(document.getElementById('app'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) said.push(walk.currentNode.data.trim());
  for (const one of document.querySelectorAll('#app *')) {
    for (const name of ['aria-label', 'data-tip', 'placeholder', 'title']) said.push(one.getAttribute(name)?.trim());
  }
  return [...new Set(said.filter((one) => one && /[A-Za-z]/.test(one)))];
}"""
"""Everything that a page says, in text, labels and tooltips."""

FROM_THE_BACKEND = {one.label for one in RESOURCES.values()} | {"Whole row", "Fulfil", "Cancel", "Close", "Description",
                                                               "Order, $78.00, 2 lines"}
"""Names of tables, fields and actions that the backend gives; a document in German has German ones."""


def sentences(language: str) -> dict[str, str]:
    """{"bar.sync": "Sync", "bar.conflicts.one": "{n} conflict"}"""
    found: dict[str, str] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, str):
            found[path] = node
        else:
            for key, value in node.items():
                walk(value, f"{path}.{key}".lstrip("."))

    for part in ("", ".lists", ".more"):
        walk(json.loads((fake.WIDGET / "i18n" / f"{language}{part}.json").read_text()), "")
    return found


@cache
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


@cache
def keys() -> set[str]:
    return {key.rsplit(".", 1)[0] if key.endswith((".one", ".other")) else key for key in sentences("en")}


def not_german(said: list[str]) -> list[str]:
    """Of what a page says: English sentences, keys of sentences, and places that nothing was put into."""
    own = [one for one in said if one not in FROM_THE_BACKEND]
    english = [one for one in own if any(each.fullmatch(one) for each in english_only())]
    return english + [one for one in said if one in keys() or re.search(r"\{\w+\}", one)]
