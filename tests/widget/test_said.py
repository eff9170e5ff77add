"""What the service says to a person is there in the widget's other languages, too: `widget/i18n/*.said.json`."""
from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import fake
import pytest

from backend.shopify.resources import RESOURCES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLACES = {"Shopify", "Grist", "A sync", "The database", "The widget and the API"}
MODULES = ("actions.py", "core/merge.py", "core/pairing.py", "core/plan.py", "core/undo.py", "recover.py",
           "shopify/actions.py", "shopify/cures.py", "shopify/extras.py", "shopify/names.py", "shopify/permissions.py",
           "shopify/trial.py", "web/choices.py", "web/health.py", "web/hooks_shopify.py")
"""Whose sentences are reasons, cures and effects on a screen of the widget, besides all that errors say."""
SCRIPTS = {"Tells the sync with Shopify that rows changed. Made by the sync, and removed with its connection."}
NOT_TOLD = re.compile(r"^(…|\W*|Type 0 for none\.)$")


def module(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert found
    assert found.loader
    made = importlib.util.module_from_spec(found)
    sys.modules[found.name] = made
    found.loader.exec_module(made)
    return made


def sentences() -> set[str]:
    errors = {text for one in module("said").everything() if one.place in PLACES for text in (one.message, one.cure)}
    others = {text for where, text in module("texts").sentences() if where in MODULES}
    return {re.sub(r"\{\w+\}", "…", text.strip()) for text in errors | others} - SCRIPTS


@pytest.mark.parametrize("language", ["de"])
def test_the_sentences_that_the_service_can_say_in_the_widget_are_there(language: str) -> None:
    known = json.loads((fake.WIDGET / "i18n" / f"{language}.said.json").read_text())
    said = {text for text in sentences() if not NOT_TOLD.match(text)}
    assert len(said) > 300
    assert sorted(said - set(known)) == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_resource_can_be_counted_in_words(language: str) -> None:
    for part, name in (("lists", "counted"), ("more", "things")):
        words = json.loads((fake.WIDGET / "i18n" / f"{language}.{part}.json").read_text())[name]
        assert set(words) == set(RESOURCES)
