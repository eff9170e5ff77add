"""Actions are done once, whatever is lost on the way: an own class in the crash test, for their calls carry no key.

Each action is tried with the answer lost before and after Shopify did it, with the process killed around the call, and
with the thing changed since somebody looked. In every case Shopify did it at most once, what was done is found, and
what nobody can tell is shown to a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from actions_helpers import Desk, Killed, killed_in_transaction, open_order
from faults.matrix import PROPERTY
from faults.promises import PROMISES
from faults.wire import Fault

from backend.errors import Cancelled, RetryLater
from backend.shopify.actions import ACTIONS, Step
from backend.store import actions
from backend.store.tables import action
from demo.shopify.trade import DraftOrder, FulfillmentOrder


@dataclass(frozen=True)
class Case:
    """An action, a thing that it may be done to, and how often it was done."""

    name: str
    thing: Callable[[Desk], Any]
    times: Callable[[Any], int]


def draft(desk: Desk) -> Any:
    found: DraftOrder = next(d for d in desk.store.drafts.values() if d.status == "OPEN")
    found.email = "ada@example.com"
    return found


def _with_draft(desk: Desk) -> Any:
    if not any(d.status == "OPEN" for d in desk.store.drafts.values()):
        variant = next(iter(desk.store.variants.values()))
        desk.connector()._client.run(
            "mutation M($i: DraftOrderInput!) { draftOrderCreate(input: $i) { draftOrder { id } userErrors "
            "{ message } } }", {"i": {"email": "ada@example.com", "lineItems": [
                {"variantId": variant.gid, "quantity": 2}]}}, writes=True)
    return draft(desk)


def closed(desk: Desk) -> Any:
    order = desk.order(open_order)
    order.closed_at = desk.store.now()
    return order


def unpaid(desk: Desk) -> Any:
    return desk.order(lambda order: order.cancelled_at is None and order.outstanding().shop > 0)


CASES = {case.name: case for case in (
    Case("fulfil", lambda desk: desk.order(open_order), lambda order: len(order.fulfillments)),
    Case("close", lambda desk: desk.order(lambda o: open_order(o) and o.closed_at is None),
         lambda order: int(order.closed_at is not None)),
    Case("reopen", closed, lambda order: int(order.closed_at is None)),
    Case("cancel", lambda desk: desk.order(open_order), lambda order: int(order.cancelled_at is not None)),
    Case("mark_paid", unpaid, lambda order: sum(t.gateway == "manual" and t.transaction_kind == "SALE"
                                                for t in order.transactions)),
    Case("complete", _with_draft, lambda found: int(found.status == "COMPLETED")),
    Case("send_invoice", _with_draft, lambda found: int(found.invoice_sent_at is not None)),
)}
LOST = {"before": {"drop": "before"}, "after": {"drop": "after"}, "outage": {"status": 502}}
POINTS = ("scopes", "look", "sent", "call", "outcome")
"""The steps of a run that does one thing, out into the world and into the database."""
IN_WORDS = {"before": Fault.LOST_NOT_DONE, "after": Fault.LOST_DONE, "outage": Fault.LOST_NOT_DONE}
Told = Callable[..., None]


@pytest.fixture
def told(case: Case, record_property: Any) -> Told:
    """Puts a case that ended well into the matrix of the crash test, where calls without a key are a class of their
    own. What is judged is how often it was done, what is told of it, and the history: P7, P8."""
    def tell(point: str, fault: Fault, *, asks: bool = False) -> None:
        record_property(PROPERTY, json.dumps({
            "chapter": f"keyless: {case.name}", "points": len(POINTS), "fault": fault, "cases": 1,
            "steps": [POINTS.index(point)], "promises": list(PROMISES), "broken": {},
            "known": {"P7": 1} if asks else {}}))
    return tell


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_every_action_has_a_case() -> None:
    assert CASES.keys() == ACTIONS.keys()


def test_an_action_is_done_once_and_told_in_the_history(desk: Desk, case: Case) -> None:
    thing = case.thing(desk)
    before = case.times(thing)
    desk.want(case.name, thing.gid)
    assert desk.run() == {"done": 1}
    assert case.times(thing) == max(before + 1, 1)
    assert [kind for kind, _ in desk.history()] == ["action"]
    assert desk.run() == {}, "nothing is left to do"


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_is_looked_for_and_the_call_is_never_sent_again(
    desk: Desk, case: Case, lost: str, told: Told
) -> None:
    thing = case.thing(desk)
    before = case.times(thing)
    desk.want(case.name, thing.gid)
    desk.faults({}, {}, LOST[lost])  # scopes, the look right before, then the call
    counts = desk.run()
    if lost == "after":
        assert counts == {"done": 1}, "the thing itself shows it"
        assert case.times(thing) == before + 1
        told("call", IN_WORDS[lost])
        return
    assert (counts, case.times(thing), desk.states()) == ({"open": 1}, before, ["open"])
    assert desk.run() == {"open": 1}
    desk.age(300)
    assert desk.run() == {"maybe": 1}
    [deed] = desk.deeds()
    assert "may have happened" in deed.message
    assert "say here whether it happened" in deed.cure
    assert case.times(thing) == before, "looked for, and never sent again"
    assert desk.history() == []
    told("call", IN_WORDS[lost], asks=True)  # a person has to say whether it happened


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("point", ["scopes", "look"])
def test_what_is_lost_before_the_call_is_asked_again_and_it_is_done_once(
    desk: Desk, case: Case, point: str, lost: str, told: Told
) -> None:
    thing = case.thing(desk)
    before = case.times(thing)
    desk.want(case.name, thing.gid)
    desk.faults(*[{}] * POINTS.index(point), LOST[lost])
    assert desk.run() == {"done": 1}
    assert case.times(thing) == max(before + 1, 1)
    assert len(desk.history()) == 1
    assert desk.run() == {}
    told(point, IN_WORDS[lost])


@pytest.mark.parametrize("transaction", [1, 2])
def test_killed_around_the_call_it_is_done_at_most_once_and_found(
    desk: Desk, case: Case, transaction: int, told: Told
) -> None:
    """1: before it stands in the journal as sent; 2: after the call, before its outcome is kept."""
    thing = case.thing(desk)
    before = case.times(thing)
    desk.want(case.name, thing.gid)
    with killed_in_transaction(desk.database, transaction) as write, pytest.raises(Killed):
        desk.run(write=write)
    sent = transaction == 2
    assert case.times(thing) - before == sent
    assert desk.states() == ["sent" if sent else "wanted"]
    assert desk.run() == {"done": 1}
    assert case.times(thing) == before + 1
    assert len(desk.history()) == 1
    told("sent" if transaction == 1 else "outcome", Fault.KILLED_BEFORE)


def test_what_is_done_late_is_still_found(desk: Desk, case: Case) -> None:
    """The answer was lost and the call was still under way: a later run sees it and believes it."""
    thing = case.thing(desk)
    desk.want(case.name, thing.gid)
    desk.faults({}, {}, {"drop": "before"})
    assert desk.run() == {"open": 1}
    [deed] = desk.deeds()
    desk.actor().do(Step(deed.name, deed.thing, deed.input, (), deed.before, deed.digest))
    assert desk.run() == {"done": 1}
    assert len(desk.history()) == 1


def test_what_moved_since_somebody_looked_is_left_alone(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("fulfil", order.gid)
    line = next(line for piece in order.fulfillment_orders for line in piece.lines if line.remaining_quantity)
    line.remaining_quantity += 1
    assert desk.run() == {"refused": 1}
    assert "changed in Shopify since you looked" in desk.deeds()[0].message
    assert order.fulfillments == []


def test_two_presses_of_one_button_fulfil_once(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("fulfil", order.gid)
    desk.want("fulfil", order.gid)
    assert desk.run() == {"done": 1, "refused": 1}
    assert len(order.fulfillments) == 1


def test_nothing_is_done_to_what_is_still_looked_for(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("fulfil", order.gid)
    desk.want("fulfil", order.gid)
    desk.faults({}, {}, {"drop": "before"})
    assert desk.run() == {"open": 1, "refused": 1}
    assert order.fulfillments == [], "the second would have doubled the first, had that arrived late"


def test_a_refusal_says_why_and_is_no_history(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("cancel", order.gid)
    with desk.database.write() as tx:
        tx.execute(sa.update(action).values(input={**desk.deeds()[0].input, "staffNote": "x" * 300}))
    assert desk.run() == {"refused": 1}
    assert "Staff note is too long" in desk.deeds()[0].message
    assert (order.cancelled_at, desk.history()) == (None, [])


def test_a_store_that_asks_for_a_pause_leaves_it_undone_and_says_so(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("close", order.gid)
    desk.faults({"status": 503}, {"status": 503}, {"status": 503}, {"status": 503}, {"status": 503}, {"status": 503},
                {"status": 503}, {"status": 503}, {"status": 503}, {"status": 503}, {"status": 503}, {"status": 503})

    def impatient() -> Any:
        connector = desk.connector()
        connector._client._http._patience_seconds = 0.0
        return connector.acting()

    with pytest.raises(RetryLater):
        desk.run(impatient)
    assert desk.states() == ["wanted"], "nothing was sent: the next run does it"


def test_cancelled_before_its_turn_it_is_not_done_and_says_so(desk: Desk) -> None:
    first, second = [order for order in desk.store.orders.values() if open_order(order)][:2]
    desk.want("close", first.gid)
    desk.want("close", second.gid)

    def beat(progress: dict[str, Any]) -> None:
        if progress["done"] == 1:
            raise Cancelled("The sync was cancelled.")

    with pytest.raises(Cancelled):
        desk.run(beat=beat)
    assert desk.states() == ["done", "not_done"]
    assert second.closed_at is None


def test_a_yes_that_is_an_hour_old_is_not_acted_on(desk: Desk) -> None:
    order = desk.order(open_order)
    desk.want("close", order.gid)
    desk.age(4000)
    assert desk.run() == {"not_done": 1}
    assert order.closed_at is None


def test_a_person_says_whether_it_happened(desk: Desk) -> None:
    order = desk.order(open_order)
    [number] = desk.want("fulfil", order.gid)
    desk.faults({}, {}, {"drop": "before"})
    desk.run()
    desk.age(300)
    desk.run()
    with desk.database.write() as tx:
        assert actions.say(tx, desk.link_id, number, happened=False, by="An editor")
        assert not actions.say(tx, desk.link_id, number, happened=True, by="An editor"), "asked once"
    assert desk.states() == ["not_done"]
    assert desk.run() == {}


def test_an_order_of_two_locations_is_fulfilled_by_two_calls(desk: Desk) -> None:
    order = desk.order(lambda o: open_order(o) and sum(len(p.lines) for p in o.fulfillment_orders) > 1)
    [piece, *_] = order.fulfillment_orders
    barn = desk.store.add_location("Barn")
    moved = FulfillmentOrder(**{**{name: getattr(piece, name) for name in (
        "order", "status", "created_at", "updated_at")}, "id": desk.store.new_id(), "location": barn,
        "lines": [piece.lines.pop()]})
    order.fulfillment_orders.append(moved)
    assert len(desk.want("fulfil", order.gid, {"tracking": {"number": "1Z9"}, "notify": False})) == 2
    assert desk.run() == {"done": 2}
    assert {f.location.name for f in order.fulfillments} == {"Barn", piece.location.name}


def test_chosen_quantities_are_fulfilled_and_the_rest_waits(desk: Desk) -> None:
    order = desk.order(lambda o: open_order(o) and any(
        line.remaining_quantity > 1 for p in o.fulfillment_orders for line in p.lines))
    line = next(line for p in order.fulfillment_orders for line in p.lines if line.remaining_quantity > 1)
    had = line.remaining_quantity
    desk.want("fulfil", order.gid, {"lines": [{"line": line.gid, "quantity": 1}]})
    assert desk.run() == {"done": 1}
    assert (line.remaining_quantity, len(order.fulfillments)) == (had - 1, 1)
    assert "Fulfils 1 ×" in desk.history()[0][1]
