"""Every recorded answer of a real store is understood: data, or one of our errors, and never a bug.

The recordings are another project's and are not part of this repository. They are looked for in the folder that
SHARED_DIR names, or in `shared` beside the checkout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from shopify_helpers import LEVEL, PRODUCT, VARIANT, mapping_of, update

from backend.core.model import Mapping, Op
from backend.errors import OutcomeUnknown, SyncError
from backend.shopify.answers import answer_from
from backend.shopify.receipts import outcome_of
from backend.shopify.writes import Call, Request

FOLDER = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared") / "fixtures" / "shopify"
FILES = sorted(FOLDER.glob("**/*.json"))

ANSWERED = {"productUpdate", "productCreate", "productDelete", "productVariantsBulkUpdate", "productVariantsBulkCreate",
            "productVariantsBulkDelete", "inventorySetQuantities", "tagsAdd", "tagsRemove"}


def test_the_recordings_are_there() -> None:
    if not FILES:
        message = f"No recordings in {FOLDER}; set SHARED_DIR to the folder that holds fixtures/shopify."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    assert len(FILES) >= 200


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_recorded_answer_is_data_or_one_of_our_errors(file: Path) -> None:
    seen = 0
    for body in bodies(json.loads(file.read_text())):
        seen += 1
        try:
            answer = answer_from(200, {}, orjson.dumps(body), writes=False)
        except SyncError:
            assert "data" not in body or body["data"] is None
            continue
        for problem in answer.problems:
            assert problem.message
        for name in answer.data:
            problem = answer.problem_at(name)
            assert problem is None or answer.data[name] is not None, f"{name} was not read, and looks empty"
    assert seen > 0


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_recorded_refusal_becomes_a_receipt(file: Path) -> None:
    """Each payload with userErrors is read as the answer to a request of three rows of ours."""
    for body in bodies(json.loads(file.read_text())):
        for alias, payload in (body.get("data") or {}).items():
            if alias not in ANSWERED or not isinstance(payload, dict) or not payload.get("userErrors"):
                continue
            mapping, ops = three_ops(alias)
            request = Request(mapping, ops, "", {}, (Call(alias, alias, tuple(range(len(ops)))),))
            answer = answer_from(200, {}, orjson.dumps(body), writes=True)
            try:
                outcome = outcome_of(request, answer, 2)
            except OutcomeUnknown:
                continue
            settled = [receipt for receipt in outcome.receipts.values() if receipt.refusal or receipt.stale]
            assert settled or outcome.again, alias
            assert set(outcome.receipts) | set(outcome.again) == set(range(len(ops)))
            for receipt in settled:
                assert receipt.stale or (receipt.refusal and receipt.refusal.message and receipt.refusal.cure)


def three_ops(alias: str) -> tuple[Mapping, tuple[Op, ...]]:
    if alias == "inventorySetQuantities":
        mapping = mapping_of("inventory", "available")
        return mapping, tuple(update(LEVEL, available=(1, n)) for n in range(3))
    if alias.startswith("productVariantsBulk"):
        return mapping_of("variants", "price", "cost"), tuple(update(VARIANT, price=(None, n)) for n in range(3))
    return mapping_of("products", "title", "handle", "tags"), (
        update(PRODUCT, title=("a", "b"), handle=("a", "b"), tags=(None, ("b",))),)


def bodies(thing: Any) -> Iterator[dict[str, Any]]:
    """Every HTTP body in a recording: there is no single layout, but each holds `data` or a list of `errors`."""
    if isinstance(thing, dict):
        is_body = isinstance(thing.get("data"), dict) or (
            isinstance(thing.get("errors"), list) and thing["errors"]
            and isinstance(thing["errors"][0], dict) and "message" in thing["errors"][0])
        if is_body:
            yield thing
            return
        for value in thing.values():
            yield from bodies(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from bodies(value)
