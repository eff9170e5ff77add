"""Actions over the API: what may be done, the effect in words, the run that does it; and who may ask."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from web_helpers import OpenDocument, Place, make_place

from backend.config import parse
from backend.jobs.perform import perform
from backend.shopify.resources import RESOURCES
from backend.store import actions, base, links, runs
from backend.store.tables import action
from backend.store.tables import link as link_table
from backend.web.sight import Reads
from demo.grist import Grist
from demo.serving import serving
from demo.shopify import Store, create_app

ROW = 12


class Till:
    """A place whose store is simulated, with one open order in row 12."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store = place, store
        self.order = next(order for order in store.orders.values() if order.cancelled_at is None
                          and not order.fulfillments and all(p.status == "OPEN" for p in order.fulfillment_orders))
        with place.service.database.write() as tx:
            links.set_mappings(tx, place.link.id, parse(
                "mappings:\n  - {resource: orders, table: Orders, fields: {name: Name, note: Note}}\n",
                RESOURCES).mappings)
        self.pair(ROW, self.order.gid)

    def pair(self, row: int, thing: str) -> None:
        with self.place.service.database.write() as tx:
            values = {"name": "#1"}
            base.insert(tx, self.place.mapping("orders").id, [(row, thing, values, values)], marked=True)

    def preview(self, role: str = "editor", **more: Any) -> Any:
        return self.place.ask("POST", "actions/preview", role, {"resource": "orders", "rows": [ROW], **more})

    def seen(self) -> dict[str, str]:
        [row] = self.preview().json["rows"]
        return {str(ROW): row["seen"]}

    def start(self, role: str = "editor", **more: Any) -> Any:
        body = {"resource": "orders", "rows": [ROW], "action": "fulfil", "seen": self.seen(), **more}
        return self.place.ask("POST", "actions", role, body)

    def work(self) -> dict[str, Any]:
        """What a worker does with the queued run; its report."""
        database = self.place.service.database
        with database.write() as tx:
            claimed = runs.claim(tx, "tests")
        assert claimed is not None
        return perform(self.place.service.context, claimed, "tests").report.as_json()


@pytest.fixture
def till(grist_server: tuple[Grist, str], tmp_path: Path, empty_database: Path) -> Iterator[Till]:
    store = Store(products=8, orders=24, seed=3)
    with serving(create_app(store, tokens=("shpat_secret",))) as url:
        shutil.copy(empty_database, tmp_path / "sync.db")
        made = make_place(*grist_server, tmp_path, shopify_admin_url=url)
        yield Till(made, store)
        made.service.database.dispose()


def test_a_row_tells_what_may_be_done_to_it_and_why_the_rest_may_not(till: Till) -> None:
    [row] = till.preview().json["rows"]
    may = {one["action"]: one for one in row["may"]}
    assert (row["title"], row["row"], row["table"]) == (till.order.name, ROW, "Orders")
    assert set(may) == {"fulfil", "close", "reopen", "cancel", "mark_paid"}
    assert (may["fulfil"]["may"], may["reopen"]["may"], may["reopen"]["why"]) == (True, False, "It is open.")
    assert may["cancel"]["final"] == "A cancelled order cannot be brought back."
    assert [line["remaining"] for line in row["lines"]] == [
        line.remaining_quantity for p in till.order.fulfillment_orders for line in p.lines]


def test_the_effect_is_said_in_words_and_nothing_is_written(till: Till) -> None:
    told = till.preview(action="cancel", options={"restock": True, "reason": "CUSTOMER"}).json
    assert told["final"] == "A cancelled order cannot be brought back."
    assert "Its goods go back to stock." in told["rows"][0]["effect"]
    assert "The customer is not notified." in told["rows"][0]["effect"]
    assert (till.order.cancelled_at, till.place.queued()) == (None, [])


def test_a_quantity_that_is_not_there_is_said_before_anybody_confirms(till: Till) -> None:
    [line, *_] = till.preview().json["rows"][0]["lines"]
    told = till.preview(action="fulfil", options={"lines": [{"line": line["line"], "quantity": 99}]}).json
    assert "can be fulfilled, not 99" in told["rows"][0]["why"]


def test_what_was_confirmed_is_done_by_a_run_and_told(till: Till) -> None:
    response = till.start(options={"tracking": {"number": "1Z9", "company": "UPS"}})
    assert response.status_code == 202, response.text
    assert till.place.queued() == [("action", "An editor, Fulfil button")]
    assert till.work()["actions"] == {"done": 1}
    assert till.order.fulfillments[0].tracking[0]["number"] == "1Z9"
    [deed] = till.place.get("actions")["actions"]
    assert (deed["state"], deed["label"], deed["row"], deed["title"]) == ("done", "Fulfil", ROW, till.order.name)
    [line] = till.place.get("changes")["changes"]
    assert (line["kind"], line["why"], line["by"]) == ("action", "Fulfil", "An editor, Fulfil button")
    assert "Fulfils" in line["after"]
    assert till.place.queued() == [("sync", "An editor, Fulfil button")], "Grist learns of it at once"


def test_a_run_that_acted_tells_its_counts(till: Till) -> None:
    number = till.start().json["id"]
    till.work()
    assert till.place.get(f"runs/{number}")["actions"] == {"done": 1}


def test_what_moved_since_the_preview_is_refused_and_starts_nothing(till: Till) -> None:
    seen = till.seen()
    till.order.closed_at = till.store.now()
    response = till.start(seen=seen)
    assert (response.status_code, response.json["code"]) == (409, "moved")
    assert till.place.queued() == []


def test_pressed_twice_it_is_done_once(till: Till) -> None:
    assert till.start(action="close").status_code == 202
    again = till.start(action="close")
    assert (again.status_code, again.json["code"]) == (409, "unsettled")


def test_an_action_that_the_state_bars_says_why(till: Till) -> None:
    response = till.start(action="reopen")
    assert (response.status_code, response.json["message"]) == (409, "It is open.")


def test_a_row_that_is_not_in_shopify_is_said(till: Till) -> None:
    response = till.preview(rows=[999])
    assert (response.status_code, response.json["code"]) == (409, "not_synced")


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 200), ("owner", 200)])
def test_editors_act_and_viewers_only_look(till: Till, role: str, status: int) -> None:
    assert till.preview(role).status_code == status
    assert till.place.ask("GET", "actions", role).status_code == 200


def test_somebody_who_sees_parts_only_cannot_act(till: Till) -> None:
    class Hidden(OpenDocument):
        def count_rows(self, table: str) -> int:
            from backend.errors import UserError
            raise UserError("Grist hides parts of this document.")

        def data(self, table: str) -> dict[str, list[Any]]:
            return {"id": [ROW]}

    till.place.service.reads = Reads(lambda document, token: Hidden())
    assert till.preview().status_code == 403
    assert till.place.get("actions", "editor")["actions"] == []


@pytest.mark.parametrize("body", [
    {}, {"resource": "orders"}, {"resource": "products", "rows": [1]}, {"resource": "orders", "rows": []},
    {"resource": "orders", "rows": [1, 1]}, {"resource": "orders", "rows": [1], "action": "complete"},
    {"resource": "orders", "rows": [1], "action": "explode"}, {"resource": "orders", "rows": ["1"]},
    {"resource": "orders", "rows": [1, 2], "options": {"lines": [{"line": "x", "quantity": 1}]}},
    {"resource": "orders", "rows": [1], "options": {"notify": "yes"}}, [], None])
def test_a_wish_of_another_shape_is_refused(till: Till, body: Any) -> None:
    assert till.place.ask("POST", "actions/preview", "editor", body).status_code in (400, 415, 422)


def test_a_person_answers_what_may_have_happened(till: Till) -> None:
    till.start(action="close")
    database = till.place.service.database
    with database.write() as tx:
        [deed] = actions.pending(tx, till.place.link.id)
        actions.settle(tx, deed, "maybe", "The answer was lost, so this may have happened.", "Look.")
    told = till.place.get("actions")
    assert (told["maybe"], told["actions"][0]["state"]) == (1, "maybe")
    assert till.place.ask("POST", f"actions/{deed.id}", "viewer", {"happened": True}).status_code == 403
    till.place.post(f"actions/{deed.id}", {"happened": False}, "editor")
    assert till.place.get("actions")["actions"][0]["state"] == "not_done"
    assert till.place.ask("POST", f"actions/{deed.id}", "editor", {"happened": True}).status_code == 404


def test_a_sync_that_waits_does_what_was_confirmed_before_it_syncs(till: Till) -> None:
    waiting = till.place.post("runs", {"kind": "sync"}, "editor")["id"]
    assert till.start(action="close").status_code == 202
    till.work()  # the sync itself fails here: this document has no tables
    assert till.order.closed_at is not None
    with till.place.service.database.read() as tx:
        assert tx.execute(sa.select(action.c.run_id, action.c.state)).one() == (waiting, "done")
    assert till.work().get("actions") is None, "the run of its own finds nothing left to do"


def test_a_disconnected_store_is_not_acted_on(till: Till) -> None:
    assert till.start(action="close").status_code == 202
    with till.place.service.database.write() as tx:
        tx.execute(sa.update(link_table).where(link_table.c.id == till.place.link.id).values(disconnected_at=1.0))
    assert "was disconnected" in till.work()["message"]
    assert till.order.closed_at is None
