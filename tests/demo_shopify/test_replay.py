"""Recorded exchanges with a real store, replayed against the simulated one.

Wanted: the recordings of products, stock, metafields, collections, people, orders and drafts. Each step that has
the text of its request is sent as it was; the others are sent by documents written from the keys of their answers, and
counted apart. What cannot be replayed is listed with the reason.
"""
from __future__ import annotations

import os
from collections import Counter

import pytest

from . import recordings
from .costs import pairs
from .known_differences import SALES
from .replay import Report, replay

PATTERNS = ("*/products/*", "*/metafields/*", "*/store-properties/*", "*/admin-platform/*", "*/customers/*",
            "*/orders/*", "*/shipping-fulfillments/*", "*/events/*", "*/payments/*", "*/apps/*")
# At least so many must replay without a difference, in whole recordings and in steps.
RECORDINGS_WANTED, STEPS_WANTED = 135, 1150

# Steps that cannot come out alike, each with the reason.
KNOWN = {
    "was recorded before the step that stands before it in the file": (
        ("2025-01/products/product-update-parity", "/validation/blankTitle"),
        ("2025-01/products/product-update-parity", "/downstreamRead"),
        ("2025-01/products/product-set-parity", "/preExistingUpdate/id/hydrate"),
        ("2026-04/products/inventory-adjust-name-allowlist", "/afterInvalidsRead"),
        ("2026-04/products/inventory-adjust-name-allowlist", "/afterSetOnHandRead")),
    "rests on a state that the recording does not show: another one made it": (
        ("2025-01/products/metafields-set-cas-success-parity", "/mutation"),
        ("2025-01/products/metafields-set-cas-success-parity", "/downstreamRead"),
        ("2025-01/products/tags-remove-parity", "/mutation"),
        ("2025-01/metafields/metafield-definitions-product-read", "/upstreamCalls/0"),
        ("2025-01/products/inventory-adjust-quantities-parity", "/upstreamCalls/1")),
    "shows a product's variants but not its options, so the state cannot be set up whole": (
        ("2025-01/products/product-variants-bulk-create-parity", "/mutation"),
        ("2025-01/products/product-variants-bulk-delete-parity", "/mutation"),
        ("2025-01/products/product-variants-bulk-validation-atomicity", "/cases/19"),
        ("2026-04/products/inventory-move-adjustment-group-shape", "/setup/inventoryHydrate")),
    "answers null where the schema allows none: no real store's answer": (
        ("2025-01/products/product-variants-matrix", "/upstreamCalls/2"),),
    "was sent with arguments in a text that the recording lacks": (
        ("2026-04/products/product-variants-bulk-update-allow-partial-and-error-order", "/partialUpdate"),
        ("2026-04/products/product-delete-async-operation", "/renamedVariable/operationRead"),
        ("2026-04/products/product-delete-async-operation", "/renamedVariable/nodeRead"),
        ("2026-04/products/product-delete-async-operation", "/renamedVariable/cleanup/polls/0/operationRead")),
}
_REASONS = {place: reason for reason, places in (KNOWN | SALES).items()
            for place in places}


@pytest.fixture(scope="module", autouse=True)
def recordings_at_hand() -> None:
    if recordings.folder() is None:
        message = "The recordings of a real store are not at hand (SHARED_DIR, or `shared` beside the checkout)."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def reports(recordings_at_hand: None) -> list[Report]:
    return [replay(recordings.read(name)) for name in recordings.names(*PATTERNS)]


def test_the_store_answers_as_the_recorded_one(reports: list[Report]) -> None:
    surprises = [f"{report.recording.name} {outcome.step.path}: {outcome.detail}" for report in reports
                 for outcome in report.of("differs") if (report.recording.name, outcome.step.path) not in _REASONS]
    assert not surprises, "\n".join(surprises)


def test_enough_recordings_replay(reports: list[Report], capsys: pytest.CaptureFixture[str]) -> None:
    steps = Counter(outcome.kind for report in reports for outcome in report.outcomes)
    whole = [report for report in reports if not report.of("differs")
             and (report.of("replayed") or report.of("written"))]
    as_sent = [report for report in whole if report.of("replayed")]
    reasons = Counter(outcome.detail for report in reports for outcome in report.of("skipped"))
    with capsys.disabled():
        print(f"\nShopify recordings: {len(reports)} read, {len(whole)} replay without a difference, "
              f"{len(as_sent)} of them with requests as they were sent. "
              f"Steps: {steps['replayed']} as sent, {steps['written']} by written documents, "
              f"{steps['differs']} known to differ, {steps['skipped']} skipped:")
        for reason, count in reasons.most_common(12):
            print(f"  {count:4} {reason[:110]}")
    assert len(whole) >= RECORDINGS_WANTED
    assert steps["replayed"] + steps["written"] >= STEPS_WANTED


def test_the_cost_model_fits_the_recorded_costs(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(pairs("*/*/*"))
    exact = sum(pair.recorded == pair.worked_out for pair in found)
    near = sum(pair.near for pair in found)
    with capsys.disabled():
        print(f"\nCost of {len(found)} recorded documents: {exact} exact, {near} within a tenth.")
    assert exact >= 0.9 * len(found)
    assert near >= 0.95 * len(found)
