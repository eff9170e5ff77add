"""Recorded exchanges with a real store, replayed against the simulated one.

Each step that has the text of its request is sent as it was; the others are sent by documents written from the keys
of their answers, and counted apart. What cannot be replayed is listed with the reason.
"""
from __future__ import annotations

import os
from collections import Counter

import pytest

from . import recordings
from .costs import pairs
from .known_differences import SALES
from .replay import Report, replay

PATTERNS = ("*/*/*",)
# At least so many must replay without a difference: whole recordings, those with requests as they were sent, steps.
RECORDINGS_WANTED, AS_SENT_WANTED, STEPS_WANTED = 173, 145, 1600
# Of those with requests as they were sent: all of these replay, and with every field of every answer.
EVERY_STEP_WANTED, STRICT_WANTED = 140, 125

# Steps that cannot come out alike, each with the reason.
KNOWN = {
    "was recorded before the step that stands before it in the file": (
        ("2025-01/products/product-update-parity", "/validation/blankTitle"),
        ("2025-01/products/product-update-parity", "/downstreamRead"),
        ("2025-01/products/product-set-parity", "/preExistingUpdate/id/hydrate"),
        ("2026-04/products/inventory-adjust-name-allowlist", "/afterInvalidsRead"),
        ("2026-04/products/inventory-adjust-name-allowlist", "/afterSetOnHandRead")),
    "rests on a state that the recording does not show: another one made it": (
        ("2026-04/store-properties/location-activate-deactivate-lifecycle", "/cleanup/0"),
        ("2025-01/products/product-user-error-shape-parity", "/captures/inventoryActivateUnknownItem"),
        ("2025-01/products/metafields-set-cas-success-parity", "/mutation"),
        ("2025-01/products/metafields-set-cas-success-parity", "/downstreamRead"),
        ("2025-01/metafields/metafield-definitions-product-read", "/upstreamCalls/0"),
        ("2025-01/products/inventory-adjust-quantities-parity", "/upstreamCalls/1")),
    "shows a product's variants but not its options, so the state cannot be set up whole": (
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
    in_part = sum(1 for report in reports for outcome in report.of("replayed") if outcome.detail)
    whole = [report for report in reports if not report.of("differs")
             and (report.of("replayed") or report.of("written"))]
    texts = [report for report in reports if any(step.query for step in report.recording.steps)]
    as_sent = [report for report in reports if any(outcome.step.query for outcome in report.of("replayed"))
               and not any(outcome.step.query for outcome in report.of("differs"))]
    # The strict count: nothing with a text left out, nothing different, and every field of the answer compared.
    every_step = [report for report in as_sent
                  if all(outcome.kind == "replayed" for outcome in report.outcomes if outcome.step.query)]
    strict = [report for report in every_step if not any(outcome.detail for outcome in report.of("replayed"))]
    reasons = Counter(outcome.detail for report in reports for outcome in report.of("skipped"))
    with capsys.disabled():
        print(f"\nShopify recordings: {len(reports)} read, {len(whole)} replay without a difference.\n"
              f"Of {len(texts)} with texts of requests {len(as_sent)} replay as they were sent; "
              f"{sum(report not in texts for report in whole)} more, without a text, replay by documents written from "
              "their keys.\n"
              f"Of these {len(as_sent)} every request with a text replays in {len(every_step)}, in {len(strict)} with "
              "all fields of all answers; in the others some requests are skipped, each listed with its reason.\n"
              f"Steps: {steps['replayed']} as sent ({in_part} of them compared in the fields that text and answer "
              f"share), {steps['written']} by written documents, {steps['differs']} known to differ, "
              f"{steps['skipped']} skipped:")
        for reason, count in reasons.most_common(12):
            print(f"  {count:4} {reason[:110]}")
        print("These are replayed in part:")
        for report in as_sent:
            if report not in every_step:
                reasons_of = dict.fromkeys(outcome.detail for outcome in report.of("skipped") if outcome.step.query)
                print(f"  {report.recording.name}: {'; '.join(reasons_of)[:150]}")
        print("These do not:")
        for report in reports:
            if report not in as_sent and report in texts:
                print(f"  {report.recording.name}: {_why(report)}")
    assert len(whole) >= RECORDINGS_WANTED
    assert len(as_sent) >= AS_SENT_WANTED
    assert len(every_step) >= EVERY_STEP_WANTED
    assert len(strict) >= STRICT_WANTED
    assert steps["replayed"] + steps["written"] >= STEPS_WANTED


def _why(report: Report) -> str:
    """Why a recording with texts does not replay as sent."""
    for outcome in report.of("differs"):
        return _REASONS.get((report.recording.name, outcome.step.path), outcome.detail)
    sent = [outcome for outcome in report.outcomes if outcome.step.query]
    return "; ".join(dict.fromkeys(outcome.detail for outcome in sent))


def test_the_cost_model_fits_the_recorded_costs(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(pairs("*/*/*"))
    exact = sum(pair.recorded == pair.worked_out for pair in found)
    near = sum(pair.near for pair in found)
    with capsys.disabled():
        print(f"\nCost of {len(found)} recorded documents: {exact} exact, {near} within a tenth.")
    assert exact >= 0.9 * len(found)
    assert near >= 0.95 * len(found)
