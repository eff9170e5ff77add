"""Bulk queries and mutations: what may run, how they go on, what their files hold."""
from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.serving import serving
from demo.shopify import Clock, Store, create_app

from .conftest import Ask

RUN = """mutation($query: String!, $group: Boolean!) { bulkOperationRunQuery(query: $query, groupObjects: $group) {
  bulkOperation { id status objectCount url } userErrors { field message code } } }"""
READ = """query($id: ID!) { bulkOperation(id: $id) {
  id status type errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }"""
PRODUCTS = "{ products { edges { node { id title variants { edges { node { id sku } } } } } } }"
RUN_MUTATION = """mutation($mutation: String!, $path: String!, $name: String) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path, clientIdentifier: $name) {
    bulkOperation { id status } userErrors { field message code } } }"""
RETITLE = """mutation($product: ProductUpdateInput!) {
  productUpdate(product: $product) { product { id title } userErrors { field message } } }"""
STAGE = """mutation { stagedUploadsCreate(input: [{resource: BULK_MUTATION_VARIABLES, filename: "lines.jsonl",
  mimeType: "text/jsonl", httpMethod: POST}]) { stagedTargets { url parameters { name value } }
  userErrors { message } } }"""


@pytest.fixture
def store() -> Store:
    made = Store(products=8, seed=3, plan="unlimited", clock=Clock())
    made.behaviour.bulk_start_seconds = 0
    return made


def lines_of(store: Store, operation: dict[str, Any]) -> list[dict[str, Any]]:
    path = store.bulks.blobs.find("bulk-operation-outputs/" + operation["id"].rsplit("/", 1)[-1])
    assert path is not None
    return [json.loads(line) for line in path.read_text().splitlines()]


def started(ask: Ask, query: str = PRODUCTS, *, group: bool = True) -> dict[str, Any]:
    payload = ask(RUN, query=query, group=group)["data"]["bulkOperationRunQuery"]
    assert payload["userErrors"] == []
    return dict(payload["bulkOperation"])


INVALID = [
    ("{ shop { id } }", ["Bulk queries must contain at least one connection."]),
    ("", ["Invalid bulk query: syntax error, unexpected end of file"]),
    ('{ node(id: "gid://shopify/Product/1") { id } }',
     ["Bulk queries cannot contain a top level `node` field.", "Bulk queries must contain at least one connection."]),
    ("{ products { nodes { id } } }",
     ["All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: 'products { "
      "edges { node {'. Selecting via 'nodes' is not supported. Invalid connection fields: 'products'."]),
    ("{ collections { edges { node { id products { edges { node { id variants { edges { node { id metafields { edges "
     "{ node { id } } } } } } } } } } } } }",
     ["Bulk queries cannot contain connections with a nesting depth greater than 2."]),
    ("{ products { edges { node { id variants { edges { node { id } } } metafields { edges { node { id } } } "
     "collections { edges { node { id } } } media { edges { node { id } } } sellingPlanGroups { edges { node { id } } "
     "} } } } }", ["Bulk queries cannot contain more than 5 connections."]),
    ("{ products { edges { node { title variants { edges { node { id } } } } } } }",
     ["The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' "
      "return type. Connection fields without 'id': products."]),
    ("mutation { productDelete(input: {id: \"gid://shopify/Product/1\"}) { deletedProductId } }",
     ["Invalid operation type. Only `query` operations are supported."]),
    ("{ orders { edges { node { id fulfillments { events { edges { node { id } } } } } } } }",
     ["Queries that contain a connection field within a list field are not currently supported."]),
]


@pytest.mark.parametrize(("query", "messages"), INVALID)
def test_a_query_that_cannot_run_in_bulk_is_refused_in_shopifys_words(ask: Ask, query: str,
                                                                         messages: list[str]) -> None:
    payload = ask(RUN, query=query, group=False)["data"]["bulkOperationRunQuery"]
    assert payload["bulkOperation"] is None
    assert payload["userErrors"] == [{"field": ["query"], "message": text, "code": "INVALID"} for text in messages]


def test_children_are_lines_of_their_own_that_name_their_parent(ask: Ask, store: Store) -> None:
    first = started(ask)
    assert (first["status"], first["objectCount"], first["url"]) == ("CREATED", "0", None)
    done = ask(READ, id=first["id"])["data"]["bulkOperation"]
    lines = lines_of(store, first)
    assert done["status"] == "COMPLETED"
    assert done["completedAt"]
    assert (done["objectCount"], done["rootObjectCount"]) == (str(len(lines)), str(len(store.products)))
    assert len(lines) == len(store.products) + len(store.variants)
    roots = {line["id"] for line in lines if "__parentId" not in line}
    assert roots == {product.gid for product in store.products.values()}
    for line in lines:
        if "__parentId" in line:
            assert line["__parentId"] in roots
            assert set(line) == {"id", "sku", "__parentId"}


def test_a_connection_inside_an_object_belongs_to_the_node_around_it(ask: Ask, store: Store) -> None:
    query = ("{ productVariants { edges { node { id inventoryItem { id inventoryLevels { edges { node { id location "
             "{ name } } } } } } } } }")
    first = started(ask, query)
    ask(READ, id=first["id"])
    lines = lines_of(store, first)
    variant = next(iter(store.variants.values()))
    assert lines[0] == {"id": variant.gid, "inventoryItem": {"id": variant.inventory_item.gid}}
    assert lines[1]["__parentId"] == variant.gid
    assert lines[1]["location"]["name"]


def test_without_grouping_a_child_may_stand_before_its_parent(ask: Ask, store: Store) -> None:
    store.behaviour.bulk_children_come_first = True
    first = started(ask, group=False)
    ask(READ, id=first["id"])
    assert "__parentId" in lines_of(store, first)[0]


def test_the_sixth_at_a_time_is_refused_and_one_may_be_cancelled(ask: Ask, store: Store) -> None:
    store.behaviour.bulk_start_seconds = 60
    ids = [started(ask)["id"] for _ in range(5)]
    refused = ask(RUN, query=PRODUCTS, group=False)["data"]["bulkOperationRunQuery"]["userErrors"]
    assert refused == [{"field": None, "code": "OPERATION_IN_PROGRESS", "message":
                        "A bulk query operation for this app and shop is already in progress: " + ", ".join(ids) + "."}]
    cancel = ("mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } "
              "userErrors { field message } } }")
    assert ask(cancel, id=ids[0])["data"]["bulkOperationCancel"]["bulkOperation"] == {"status": "CANCELING"}
    store.clock.advance(120)
    assert ask(READ, id=ids[0])["data"]["bulkOperation"]["status"] == "CANCELED"
    assert ask(READ, id=ids[1])["data"]["bulkOperation"]["status"] == "COMPLETED"
    assert ask(cancel, id=ids[1])["data"]["bulkOperationCancel"]["userErrors"] == [
        {"field": None, "message": "A bulk operation cannot be canceled when it is completed"}]
    assert ask(cancel, id="gid://shopify/BulkOperation/0")["data"]["bulkOperationCancel"]["userErrors"] == [
        {"field": ["id"], "message": "Bulk operation does not exist"}]


def test_a_query_that_fails_on_the_way_leaves_what_it_had(ask: Ask, store: Store) -> None:
    store.bulks.fail_next = {"after": 3, "code": "TIMEOUT"}
    first = started(ask)
    failed = ask(READ, id=first["id"])["data"]["bulkOperation"]
    assert (failed["status"], failed["errorCode"], failed["url"]) == ("FAILED", "TIMEOUT", None)
    assert failed["partialDataUrl"]
    assert len(lines_of(store, first)) >= 3


def test_a_missing_scope_fails_the_query(ask: Ask, store: Store) -> None:
    store.set_scopes(["read_products"])
    first = started(ask, "{ orders { edges { node { id } } } }")
    failed = ask(READ, id=first["id"])["data"]["bulkOperation"]
    assert (failed["status"], failed["errorCode"], failed["partialDataUrl"]) == ("FAILED", "ACCESS_DENIED", None)


def test_nothing_found_has_no_file(ask: Ask) -> None:
    first = started(ask, '{ products(query: "title:nowhere") { edges { node { id } } } }')
    done = ask(READ, id=first["id"])["data"]["bulkOperation"]
    assert (done["status"], done["objectCount"], done["url"], done["fileSize"]) == ("COMPLETED", "0", None, None)


def test_data_changes_while_a_query_runs(ask: Ask, store: Store) -> None:
    first = started(ask)
    operation = store.bulks.held[int(first["id"].rsplit("/", 1)[-1])]
    products = list(store.products.values())
    from demo.shopify.bulk.documents import plan_of
    from demo.shopify.bulk.lines import lines
    reading = lines(store, plan_of(operation.query), grouped=True)
    next(reading)
    products[1].title = "Renamed meanwhile"
    store.remove_product(products[2])
    late = store.add_product("Made meanwhile")
    titles = [json.loads(group[0].text)["title"] for group in reading]
    assert titles[0] == "Renamed meanwhile"
    assert titles[-1] == late.title
    assert len(titles) == len(products) - 2 + 1


def test_an_old_result_is_gone_after_seven_days(ask: Ask, store: Store) -> None:
    first = started(ask)
    assert ask(READ, id=first["id"])["data"]["bulkOperation"]["url"]
    store.clock.advance(8 * 24 * 3600)
    assert ask(READ, id=first["id"])["data"]["bulkOperation"]["url"] is None


LIST = "query($query: String) { bulkOperations(first: 5, query: $query, sortKey: CREATED_AT) { nodes { id } } }"


def test_operations_are_listed_by_status_and_type(ask: Ask) -> None:
    first = started(ask)
    ask(READ, id=first["id"])
    assert ask(LIST, query="status:completed operation_type:query")["data"]["bulkOperations"]["nodes"] == [
        {"id": first["id"]}]
    assert ask(LIST, query="status:running")["data"]["bulkOperations"]["nodes"] == []
    warned = ask(LIST, query="status:NOT_A_STATUS")
    assert warned["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_value"
    bad = ask(LIST, query="created_at:not-a-date")
    assert bad["errors"][0]["message"] == "Invalid timestamp for query filter `created_at`."


REFUSED_MUTATIONS = [
    (RETITLE, "tmp/1/bulk/nowhere.jsonl", None, None, "NO_SUCH_FILE"),
    (RETITLE, "empty", None, None, "INVALID_STAGED_UPLOAD_FILE"),
    (RETITLE, "lines", "short", ["clientIdentifier"], "INVALID_MUTATION"),
    (RETITLE, "lines", "x" * 256, ["clientIdentifier"], "INVALID_MUTATION"),
    ("mutation { not real syntax", "lines", None, None, "INVALID_MUTATION"),
    ("mutation($id: ID!) { bulkOperationCancel(id: $id) { userErrors { message } } }", "lines", None,
     ["mutation"], None),
    ("mutation($p: ProductCreateInput!) { productCreate(product: $p) { product { variants(first: 1) { nodes { id } } "
     "media(first: 1) { nodes { id } } } } }", "lines", None, ["mutation"], None),
]


@pytest.mark.parametrize(("mutation", "path", "name", "field", "code"), REFUSED_MUTATIONS)
def test_a_bulk_mutation_that_may_not_run_is_refused(ask: Ask, store: Store, mutation: str, path: str,
                                                     name: str | None, field: Any, code: str | None) -> None:
    store.bulks.blobs.put("empty", b"")
    store.bulks.blobs.put("lines", b"{}\n")
    payload = ask(RUN_MUTATION, mutation=mutation, path=path, name=name)["data"]["bulkOperationRunMutation"]
    assert payload["bulkOperation"] is None
    assert [(each["field"], each["code"]) for each in payload["userErrors"]] == [(field, code)]


@pytest.fixture
def served(store: Store) -> Iterator[str]:
    with serving(create_app(store)) as url:
        yield url


def asked(url: str, text: str, /, **variables: Any) -> dict[str, Any]:
    answer = requests.post(f"{url}/admin/api/2026-10/graphql.json", json={"query": text, "variables": variables},
                           headers={"X-Shopify-Access-Token": "shpat_demo"}, timeout=10)
    return dict(answer.json())


def ended(url: str, global_id: str) -> dict[str, Any]:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        operation = asked(url, READ, id=global_id)["data"]["bulkOperation"]
        if operation["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return dict(operation)
        time.sleep(0.01)
    raise AssertionError("The operation did not end.")


def test_a_result_is_fetched_from_another_path_without_the_token(served: str, store: Store) -> None:
    first = asked(served, RUN, query=PRODUCTS, group=True)["data"]["bulkOperationRunQuery"]["bulkOperation"]
    done = ended(served, first["id"])
    got = requests.get(done["url"], timeout=10)
    assert len(got.content) == int(done["fileSize"])
    assert len(got.text.splitlines()) == int(done["objectCount"])
    assert requests.get(done["url"].split("&Signature")[0], timeout=10).status_code == 403


def test_lines_of_an_upload_become_mutations(served: str, store: Store) -> None:
    products = list(store.products.values())
    target = asked(served, STAGE)["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    fields = {each["name"]: each["value"] for each in target["parameters"]}
    lines = [{"product": {"id": products[0].gid, "title": "First"}}, {"product": {"id": products[1].gid, "title": ""}},
             {"product": {"titel": "misspelt"}}]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    sent = requests.post(target["url"], data=fields, files={"file": ("lines.jsonl", content)}, timeout=10)
    assert sent.status_code == 201, sent.text
    payload = asked(served, RUN_MUTATION, mutation=RETITLE, path=fields["key"])["data"]["bulkOperationRunMutation"]
    assert payload["userErrors"] == []
    done = ended(served, payload["bulkOperation"]["id"])
    assert (done["status"], done["type"], done["objectCount"]) == ("COMPLETED", "MUTATION", "3")
    answers = [json.loads(line) for line in requests.get(done["url"], timeout=10).text.splitlines()]
    assert [answer["__lineNumber"] for answer in answers] == [0, 1, 2]
    assert answers[0]["data"]["productUpdate"]["product"]["title"] == "First"
    assert answers[1]["data"]["productUpdate"]["userErrors"] == [
        {"field": ["title"], "message": "Title can't be blank"}]
    assert answers[2]["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert products[0].title == "First"


def test_an_upload_without_its_parameters_is_refused(served: str) -> None:
    target = asked(served, STAGE)["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    fields = {each["name"]: each["value"] for each in target["parameters"]}
    forged = {**fields, "x-goog-signature": "0" * 64}
    assert requests.post(target["url"], data=forged, files={"file": b"{}"}, timeout=10).status_code == 403
    assert requests.post(target["url"], data=fields, files={"file": b""}, timeout=10).status_code == 400


def retitling(url: str, store: Store) -> str:
    """The id of an operation that gives every product another title."""
    target = asked(url, STAGE)["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    fields = {each["name"]: each["value"] for each in target["parameters"]}
    lines = [{"product": {"id": product.gid, "title": "New"}} for product in store.products.values()]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    requests.post(target["url"], data=fields, files={"file": content}, timeout=10).raise_for_status()
    payload = asked(url, RUN_MUTATION, mutation=RETITLE, path=fields["key"])["data"]["bulkOperationRunMutation"]
    return str(payload["bulkOperation"]["id"])


CANCEL = "mutation($id: ID!) { bulkOperationCancel(id: $id) { userErrors { message } } }"


@pytest.mark.parametrize("tells", [False, True])
def test_a_mutation_waits_where_it_is_held_and_is_cancelled_there(served: str, store: Store, tells: bool) -> None:
    store.behaviour.bulk_cancel_keeps_answers = tells
    store.bulks.hold_after = 3
    one = retitling(served, store)
    until = time.monotonic() + 10
    while asked(served, READ, id=one)["data"]["bulkOperation"]["objectCount"] != "3":
        assert time.monotonic() < until
    asked(served, CANCEL, id=one)
    done = ended(served, one)
    assert (done["status"], bool(done["partialDataUrl"]), done["url"]) == ("CANCELED", tells, None)
    assert sum(product.title == "New" for product in store.products.values()) == 3
    if tells:
        assert len(requests.get(done["partialDataUrl"], timeout=10).text.splitlines()) == 3


@pytest.mark.parametrize(("ending", "status", "code"), [
    ({"after": 2, "code": "TIMEOUT"}, "FAILED", "TIMEOUT"), ({"after": 2, "status": "EXPIRED"}, "EXPIRED", None)])
def test_a_mutation_fails_or_expires_on_the_way(served: str, store: Store, ending: dict[str, Any], status: str,
                                                code: str | None) -> None:
    store.bulks.fail_next = {"type": "MUTATION", **ending}
    done = ended(served, retitling(served, store))
    assert (done["status"], done["errorCode"], bool(done["partialDataUrl"])) == (status, code, status == "FAILED")
    assert sum(product.title == "New" for product in store.products.values()) == 2
