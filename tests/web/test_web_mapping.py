"""Setting up and changing a mapping over HTTP: what can be mapped, what a draft would do, saving, YAML, pairs."""

from __future__ import annotations

from typing import Any

import pytest
from web_helpers import SHIRT, Place

from backend.core.model import Question, Side, Snapshot
from backend.store import inbox, links, pairing, runs

FOUND = {"scopes": ["read_products", "read_orders", "write_orders"],
         "counts": {"products": {"n": 212, "exact": True}},
         "metafields": {"products": [{"name": "metafields.custom.restock", "label": "Restock date", "type": "date",
                                      "writable": True}]}}


@pytest.fixture
def free(place: Place) -> Place:
    """A link whose mapping no file decides."""
    place.service.fixed_link = None
    return place


def looked(place: Place) -> None:
    number = place.post("look", {})["id"]
    with place.service.database.write() as tx:
        run = runs.claim(tx, "tests")
    assert run is not None
    assert (run.id, run.kind) == (number, "look")
    place.end(run, report={"state": "look", "totals": {}, "mappings": [], "found": FOUND})


def save(place: Place, mappings: list[Any], version: str | None = None, **more: Any) -> Any:
    version = version or place.get("mappings")["version"]
    return place.ask("PUT", "mappings", body={"mappings": mappings, **more}, If_Match=f'"{version}"')


# --- what there is ----------------------------------------------------------------------------------


def test_resources_say_what_goes_both_ways_and_what_may_decide(place: Place) -> None:
    told = {one["name"]: one for one in place.get("resources", "viewer")["resources"]}
    assert told["products"]["both_ways"][:3] == ["Title", "Handle", "Status"]
    fields = {one["name"]: one for one in told["variants"]["fields"]}
    assert fields["price"]["rules"] == ["ask", "shopify", "grist", "merge", "higher", "lower"]
    assert fields["sku"]["rules"] == ["ask", "shopify", "grist"]
    assert (fields["product"]["target"], fields["product"]["writable"], fields["product"]["on_create"]) == (
        "products", False, True)
    assert told["products"]["filters"][0] == {"field": "status", "key": "status", "label": "Status",
                                              "choices": ["ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED"]}
    assert told["products"]["count"] is None


def test_a_look_brings_counts_missing_scopes_and_metafields_by_their_names(place: Place) -> None:
    looked(place)
    body = place.get("resources")
    told = {one["name"]: one for one in body["resources"]}
    assert body["looked_at"].endswith("Z")
    assert told["products"]["count"] == {"n": 212, "exact": True}
    assert [one["scope"] for one in told["customers"]["missing"]] == ["read_customers", "write_customers"]
    assert told["customers"]["missing"][0] == {"scope": "read_customers", "blocks": "read",
                                               "without": "Customers cannot be synced."}
    assert told["orders"]["missing"] == []
    metafield = told["products"]["fields"][-1]
    assert (metafield["name"], metafield["label"], metafield["metafield"]) == (
        "metafields.custom.restock", "Restock date", True)


def test_a_look_is_in_no_list_and_changes_no_status(place: Place) -> None:
    place.post("look", {})
    assert place.get("state")["run"] is None
    looked(place)
    state = place.get("state")
    assert (state["status"], state["last_run"]) == ("never", None)
    assert place.get("runs")["runs"] == []


def test_a_sync_overtakes_a_look_that_waits(place: Place) -> None:
    look = place.post("look", {})["id"]
    sync = place.post("runs", {"kind": "sync"})["id"]
    assert sync != look
    assert place.queued() == [("sync", "An owner, Sync button")]
    assert place.ask("POST", "look", body={}).status_code == 409, "and none waits behind a sync"


def test_the_documents_tables_come_with_types_and_what_suits_which_resource(place: Place) -> None:
    place.document.apply([["AddTable", "Stock_list", [
        {"id": "SKU", "type": "Text", "isFormula": False}, {"id": "Price", "type": "Numeric", "isFormula": False},
        {"id": "Cost", "type": "Text", "isFormula": False},
        {"id": "Gross", "type": "Numeric", "isFormula": True, "formula": "$Price * 1.25"}]]])
    told = place.get("tables", "viewer")
    listed = {one["name"]: one for one in told["tables"]}
    assert listed["Stock_list"]["columns"][3] == {"name": "Gross", "label": "Gross", "type": "Numeric",
                                                  "formula": True, "blank": False}
    best = told["suggestions"]["variants"][0]
    assert (best["table"], best["fields"], best["n"]) == ("Stock_list", {"sku": "SKU", "price": "Price"}, 2)
    assert told["fits"]["money"] == {"data": ["Numeric"], "formula": ["Any", "Numeric", "Int"]}


# --- saving -----------------------------------------------------------------------------------------


def test_a_mapping_is_saved_whole_under_its_version(free: Place) -> None:
    before = free.get("mappings")
    assert [one["resource"] for one in before["mappings"]] == ["products", "variants", "locations", "inventory"]
    answer = save(free, [{"resource": "products", "table": "Goods", "fields": {"title": "Name", "handle": None}}])
    assert answer.status_code == 200
    [saved] = answer.json["mappings"]
    assert saved["fields"]["title"] == {"column": "Name", "direction": "both", "on_conflict": "ask"}
    assert saved["match"] == ["handle"]
    assert answer.json["version"] != before["version"]
    with free.service.database.read() as tx:
        stored = {one.resource: one.settings.get("off", False) for one in links.mappings(tx, free.link.id)}
    assert stored["variants"] is True, "switched off, with its pairs kept"


def test_what_was_changed_is_looked_at_whole_by_the_next_run(free: Place) -> None:
    current = free.get("mappings")["mappings"]
    current[0]["fields"]["title"]["on_conflict"] = "shopify"
    assert save(free, current).status_code == 200
    with free.service.database.read() as tx:
        assert set(inbox.claim(tx, free.link.id).keys) == {(Side.LOCAL, "products"), (Side.REMOTE, "products")}


def test_a_save_over_somebody_elses_change_is_refused(free: Place) -> None:
    old = free.get("mappings")["version"]
    mappings = [{"resource": "products", "fields": {"title": None}}]
    assert save(free, mappings, old).status_code == 200
    answer = save(free, mappings, old)
    assert (answer.status_code, answer.json["code"]) == (412, "moved")
    assert free.ask("PUT", "mappings", body={"mappings": mappings}).status_code == 428


@pytest.mark.parametrize(("mappings", "path", "message"), [
    ([{"resource": "prodcts", "fields": {"title": None}}], ["mappings", 0, "resource"], "There is no resource"),
    ([{"resource": "products", "fields": {"titel": None}}], ["mappings", 0, "fields", "titel"], "have no field"),
    ([{"resource": "products", "fields": {"title": {"on_conflict": "merge"}}}],
     ["mappings", 0, "fields", "title", "on_conflict"], "cannot be merged"),
    ([{"resource": "products", "fields": {"title": "A", "vendor": "a"}}], ["mappings", 0, "fields", "vendor"],
     "holds Title already"),
    ([{"resource": "products", "fields": {"title": {"column": 7}}}], ["mappings", 0, "fields", "title", "column"],
     "“7”"),
    ([{"resource": "variants", "fields": {"sku": None, "product": None}}], ["mappings", 0, "fields", "product"],
     "not mapped"),
    ([{"resource": "products", "fields": {"title": None}, "colour": 1}], ["mappings", 0, "colour"], "not a key"),
])
def test_a_mistake_is_told_by_its_path(free: Place, mappings: list[Any], path: list[Any], message: str) -> None:
    before = free.get("mappings")
    for answer in (save(free, mappings), free.ask("POST", "mappings/effect", body={"mappings": mappings})):
        assert answer.status_code == 422
        assert answer.json["details"]["path"] == path
        assert message in answer.json["message"]
    assert free.get("mappings") == before


def test_a_mapping_from_a_file_is_only_shown(place: Place) -> None:
    assert place.get("mappings")["fixed"] is True
    answer = save(place, [{"resource": "products", "fields": {"title": None}}])
    assert (answer.status_code, answer.json["message"]) == (409, "This mapping comes from sync.yaml.")
    assert place.ask("PUT", "config.yaml", token=place.token()).status_code == 422
    text = place.client.put(f"/api/links/{place.link.id}/config.yaml", data="mappings: [{resource: products, fields: "
                            "{title: T}}]", headers={"Authorization": f"Bearer {place.token()}"})
    assert text.status_code == 409


# --- what a draft would do --------------------------------------------------------------------------


def test_a_draft_is_worked_out_by_a_run_and_kept_nowhere(free: Place) -> None:
    before = free.get("mappings")
    number = free.post("mappings/effect", {"mappings": [{"resource": "products", "fields": {"title": None}}]})["id"]
    with free.service.database.read() as tx:
        run = runs.get(tx, number)
    assert run is not None
    assert (run.kind, run.wanted["mappings"][0]["fields"]["title"]["column"]) == ("draft", "Title")
    assert free.get("mappings") == before
    assert free.get(f"runs/{number}")["state"] == "queued"
    assert free.ask("GET", f"runs/{number}", "editor").status_code == 404, "a draft is its owner's"


def test_a_new_draft_ends_the_one_that_waits(free: Place) -> None:
    body = {"mappings": [{"resource": "products", "fields": {"title": None}}]}
    first = free.post("mappings/effect", body)["id"]
    body["mappings"][0]["fields"]["title"] = "Name"  # type: ignore[index]
    second = free.post("mappings/effect", body)["id"]
    assert second > first
    assert free.get(f"runs/{first}")["state"] == "cancelled"


# --- YAML -------------------------------------------------------------------------------------------


def put_yaml(place: Place, text: str, query: str = "") -> Any:
    return place.client.put(f"/api/links/{place.link.id}/config.yaml{query}", data=text.encode(),
                            headers={"Authorization": f"Bearer {place.token()}"})


def test_what_is_exported_imports_as_the_same(free: Place) -> None:
    before = free.get("mappings")["mappings"]
    answer = free.ask("GET", "config.yaml", "viewer")
    assert answer.mimetype == "text/yaml"
    assert answer.text.startswith("# Written by")
    assert put_yaml(free, answer.text, "?preview=true").json == {"changes": [], "problems": []}
    assert put_yaml(free, answer.text).status_code == 200
    assert free.get("mappings")["mappings"] == before


def test_an_import_says_first_what_it_changes(free: Place) -> None:
    text = free.ask("GET", "config.yaml").text
    text = text.replace("table: Products", "table: Goods").replace("      tags: Tags\n", "")
    told = put_yaml(free, text, "?preview=true").json
    assert told["changes"] == [
        "Products: the table is Goods, no longer Products.", "Products: Tags is no longer synced."]
    assert free.get("mappings")["mappings"][0]["table"] == "Products"
    assert put_yaml(free, text).json["changes"] == told["changes"]
    assert free.get("mappings")["mappings"][0]["table"] == "Goods"


BOMB = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nmappings: [*b]\n"


@pytest.mark.parametrize(("text", "line", "message"), [
    ("mappings:\n  - resource: products\n    fields: {titel: T}\n", 3, "no field “titel”"),
    (BOMB, 2, "refers to another part"),
    ("mappings: [" + "[" * 40, 1, ""),
    ("mappings: !!python/object:os.system {}\n", 1, "tag"),
    ("a: 1\n  b: 2\n", 2, "not YAML"),
])
def test_a_file_that_cannot_be_taken_says_where(free: Place, text: str, line: int, message: str) -> None:
    [problem] = put_yaml(free, text, "?preview=true").json["problems"]
    assert problem["line"] == line
    assert message in problem["message"]
    refused = put_yaml(free, text)
    assert (refused.status_code, refused.json["details"]["line"]) == (422, line)


def test_a_file_that_is_too_large_is_refused(free: Place) -> None:
    assert put_yaml(free, "# " + "x" * 200_000).status_code == 413
    assert put_yaml(free, "# " + "x" * 90_000, "?preview=true").json["problems"] != []


# --- pairs ------------------------------------------------------------------------------------------


def double(place: Place) -> None:
    """One scarf in Grist, two of its handle in Shopify; as a run asks it."""
    mapping = place.mapping("products")
    one = mapping.row({"title": "Wool scarf", "handle": "scarf"})
    other = mapping.row({"title": "Copy", "handle": "scarf"})
    local = Snapshot(rows={3: one}, titles={3: "Wool scarf"})
    remote = Snapshot(rows={SHIRT: one, "gid://shopify/Product/2": other},
                      titles={SHIRT: "Wool scarf", "gid://shopify/Product/2": "Copy"})
    asked = Question("double", (3,), (SHIRT, "gid://shopify/Product/2"), "handle", ("scarf",))
    with place.service.database.write() as tx:
        pairing.ask(tx, mapping, local, remote, [asked])


def test_a_double_is_told_with_what_its_candidates_share(place: Place) -> None:
    double(place)
    told = place.get("pairs", "editor")
    [one] = told["questions"]
    assert (one["kind"], one["witness"], one["value"], one["table"]) == ("double", ["Handle"], "scarf", "Products")
    assert [row["title"] for row in one["rows"]] == ["Wool scarf"]
    assert one["alike"] == [[["Handle", "Title"], ["Handle"]]]
    assert place.get("state")["counts"]["pairs"] == 1


def test_an_answer_is_kept_for_the_next_run_which_looks_at_exactly_these(place: Place) -> None:
    double(place)
    [one] = place.get("pairs")["questions"]
    answer = place.post("pairs", {"answers": [{"question": one["id"], "rows": {"3": SHIRT}}]}, "editor")
    assert answer["answered"] == [one["id"]]
    assert place.queued() == [("sync", "An editor, Pairs")]
    mapping = place.mapping("products")
    local = Snapshot(rows={3: mapping.row({"title": "Wool scarf", "handle": "scarf"})})
    with place.service.database.read() as tx:
        assert pairing.decided(tx, mapping, local) == {3: SHIRT}
        assert inbox.claim(tx, place.link.id).keys == {
            (Side.LOCAL, "products"): {3}, (Side.REMOTE, "products"): {SHIRT, "gid://shopify/Product/2"}}
    assert place.get("pairs")["questions"] == []
    again = place.post("pairs", {"answers": [{"question": one["id"], "rows": {"3": None}}]})
    assert (again["gone"], again["run"]) == ([one["id"]], None)


@pytest.mark.parametrize("rows", [{"4": SHIRT}, {"3": "gid://shopify/Product/99"}, {"3": SHIRT, "4": SHIRT}])
def test_an_answer_about_something_else_is_refused(place: Place, rows: dict[str, Any]) -> None:
    double(place)
    [one] = place.get("pairs")["questions"]
    answer = place.ask("POST", "pairs", body={"answers": [{"question": one["id"], "rows": rows}]})
    assert answer.status_code == 422
    assert len(place.get("pairs")["questions"]) == 1


def test_a_row_that_has_lost_its_id_may_be_a_new_one_and_no_other_row_may(place: Place) -> None:
    mapping = place.mapping("products")
    row = mapping.row({"title": "Wool scarf", "handle": "scarf"})
    with place.service.database.write() as tx:
        pairing.ask(tx, mapping, Snapshot(rows={3: row, 4: row}, marks={4: "gid://shopify/Product/9"}), Snapshot(), [
            Question("emptied", (3,), of=SHIRT), Question("changed", (4,), of="gid://shopify/Product/2")])
    emptied, changed = place.get("pairs")["questions"]
    place.post("pairs", {"answers": [{"question": emptied["id"], "rows": {"3": "new"}}]})
    with place.service.database.read() as tx:
        assert pairing.decided(tx, mapping, Snapshot(rows={3: row})) == {3: "new"}
    refused = place.ask("POST", "pairs", body={"answers": [{"question": changed["id"], "rows": {"4": "new"}}]})
    assert refused.status_code == 422


def test_a_row_kept_apart_can_be_asked_about_again(place: Place) -> None:
    double(place)
    [one] = place.get("pairs")["questions"]
    place.post("pairs", {"answers": [{"question": one["id"], "rows": {"3": None}}]})
    [apart] = place.get("pairs")["apart"]
    assert (apart["row"], apart["title"], apart["by"]) == (3, "Wool scarf", "An owner, in the widget")
    place.post("pairs", {"ask_again": [{"resource": "products", "row": 3}]})
    assert place.get("pairs")["apart"] == []
