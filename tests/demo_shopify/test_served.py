"""The store over HTTP: tokens, versions, costs and throttling, faults, the control door, the page."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.serving import serving
from demo.shopify import Store, create_app

ROOT = Path(__file__).resolve().parents[2]


class Shop:
    def __init__(self, url: str, store: Store) -> None:
        self.url, self.store, self.session = url, store, requests.Session()
        self.session.headers["X-Shopify-Access-Token"] = "shpat_demo"

    def graphql(self, query: str, version: str = "2026-10", **variables: Any) -> requests.Response:
        return self.session.post(f"{self.url}/admin/api/{version}/graphql.json", timeout=10,
                                 json={"query": query, "variables": variables})

    def control(self, path: str, **given: Any) -> Any:
        return self.session.post(f"{self.url}/__control/{path}", json=given, timeout=10).json()

    def counts(self) -> dict[str, int]:
        return self.session.get(f"{self.url}/__control/counts", timeout=10).json()


@pytest.fixture
def shop() -> Iterator[Shop]:
    store = Store(products=6, seed=2)
    with serving(create_app(store, client=("id", "secret"))) as url:
        yield Shop(url, store)


def test_an_answer_carries_its_cost_and_version(shop: Shop) -> None:
    answer = shop.graphql("{ products(first: 3) { nodes { id } } }")
    assert answer.headers["X-Shopify-API-Version"] == "2026-10"
    cost = answer.json()["extensions"]["cost"]
    left = cost["throttleStatus"].pop("currentlyAvailable")
    assert cost == {"requestedQueryCost": 4, "actualQueryCost": 4, "throttleStatus": {
        "maximumAvailable": 2000, "restoreRate": 100}}
    assert 1996 <= left <= 2000  # a slow machine has them back before it has answered


def test_a_wrong_token_is_401(shop: Shop) -> None:
    shop.session.headers["X-Shopify-Access-Token"] = "shpat_other"
    answer = shop.graphql("{ shop { name } }")
    assert answer.status_code == 401
    assert answer.json() == {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def test_client_credentials_give_a_token_that_works(shop: Shop) -> None:
    grant = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
    answer = requests.post(f"{shop.url}/admin/oauth/access_token", data=grant, timeout=10)
    assert answer.json()["expires_in"] == 86_399
    assert "write_products" in answer.json()["scope"].split(",")
    shop.session.headers["X-Shopify-Access-Token"] = answer.json()["access_token"]
    assert shop.graphql("{ shop { name } }").json()["data"]["shop"]["name"] == "Fieldhouse Goods"
    wrong = requests.post(f"{shop.url}/admin/oauth/access_token", data={**grant, "client_secret": "x"}, timeout=10)
    assert wrong.status_code == 401


@pytest.mark.parametrize(("asked", "served"), [("2026-04", "2026-04"), ("2025-01", "2026-01"), ("2026-10", "2026-10")])
def test_old_versions_fall_forward_silently(shop: Shop, asked: str, served: str) -> None:
    shop.store.clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    answer = shop.graphql("{ shop { name } }", version=asked)
    assert (answer.status_code, answer.headers["X-Shopify-API-Version"]) == (200, served)


@pytest.mark.parametrize("version", ["2031-01", "latest", "2026-11"])
def test_unknown_versions_are_404(shop: Shop, version: str) -> None:
    assert shop.graphql("{ shop { name } }", version=version).status_code == 404


def test_an_empty_bucket_throttles_before_anything_runs(shop: Shop) -> None:
    shop.control("faults", next=[{"throttle": True}])
    title = next(iter(shop.store.products.values())).title
    body = shop.graphql("mutation($p: ProductUpdateInput!) { productUpdate(product: $p) { product { id } } }",
                        p={"id": next(iter(shop.store.products.values())).gid, "title": "Other"}).json()
    assert body["errors"][0] == {"message": "Throttled", "extensions": {
        "code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}
    assert "data" not in body
    assert body["extensions"]["cost"]["actualQueryCost"] is None
    assert next(iter(shop.store.products.values())).title == title


def test_what_was_not_needed_is_given_back(shop: Shop) -> None:
    cost = shop.graphql("{ products(first: 250) { nodes { id } } }").json()["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (13, 5)
    assert cost["throttleStatus"]["currentlyAvailable"] == 1995


def test_faults_come_one_a_request(shop: Shop) -> None:
    shop.control("faults", next=[{"status": 503, "headers": {"Retry-After": "1"}}, {"drop": "before"}])
    answer = shop.graphql("{ shop { name } }")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    with pytest.raises(requests.ConnectionError):
        shop.graphql("{ shop { name } }")
    assert shop.graphql("{ shop { name } }").status_code == 200


def test_a_drop_after_leaves_the_write_done(shop: Shop) -> None:
    product = next(iter(shop.store.products.values()))
    shop.control("faults", next=[{"drop": "after"}])
    with pytest.raises(requests.ConnectionError):
        shop.graphql('mutation($id: ID!) { tagsAdd(id: $id, tags: ["done"]) { userErrors { message } } }',
                     id=product.gid)
    assert "done" in product.tags


def test_counts_of_reads_writes_and_points(shop: Shop) -> None:
    product = next(iter(shop.store.products.values()))
    shop.graphql("{ shop { name } }")
    shop.graphql('mutation($id: ID!) { a: tagsAdd(id: $id, tags: ["a"]) { userErrors { message } } '
                 'b: tagsAdd(id: $id, tags: ["b"]) { userErrors { message } } }', id=product.gid)
    assert shop.counts() == {"requests": 2, "reads": 1, "writes": 2, "points": 21}
    shop.control("reset")
    assert shop.counts() == {"requests": 0, "reads": 0, "writes": 0, "points": 0}


def test_staff_edits_and_sales(shop: Shop) -> None:
    shop.control("edit", variant={"sku": "LIN-S"}, set={"price": "45", "available": 3, "location": "Oslo shop"})
    assert shop.control("sell", sku="LIN-S", location="Oslo shop") == {
        "location": "Oslo shop", "available": 2, "committed": 1}
    variant = shop.store.variants_by_sku("LIN-S")[0]
    assert str(variant.price) == "45.00"
    assert "no amount" in shop.control("edit", variant={"sku": "LIN-S"}, set={"price": "dear"})["error"]
    assert "no variant" in shop.control("edit", variant={"sku": "NOPE"}, set={"price": "1"})["error"]


def test_the_page_escapes_what_it_shows_and_answers_an_unchanged_list_with_304(shop: Shop) -> None:
    next(iter(shop.store.products.values())).title = "</script><b>bold</b>"
    page = shop.session.get(shop.url, timeout=10)
    assert page.status_code == 200
    assert "<b>bold</b>" not in page.text
    first = shop.session.get(f"{shop.url}/__page/products", timeout=10)
    again = shop.session.get(f"{shop.url}/__page/products", headers={"If-None-Match": first.headers["ETag"]},
                             timeout=10)
    assert (first.status_code, again.status_code) == (200, 304)
    shop.control("edit", variant={"sku": "LIN-S"}, set={"price": "45"})
    assert shop.session.get(f"{shop.url}/__page/products", headers={"If-None-Match": first.headers["ETag"]},
                            timeout=10).status_code == 200


def test_a_connection_is_kept_open(shop: Shop) -> None:
    assert "close" not in shop.graphql("{ shop { name } }").headers.get("Connection", "")


def test_it_starts_from_the_command_line() -> None:
    command = [sys.executable, "-m", "demo.shopify", "--port", "0", "--products", "3", "--token", "t1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split(" at ")[1].split(" ")[0]
        assert "t1" in line
        answer = requests.post(f"{url}/admin/api/2026-10/graphql.json", json={"query": "{ productsCount { count } }"},
                               headers={"X-Shopify-Access-Token": "t1"}, timeout=10)
        assert answer.json()["data"]["productsCount"]["count"] == 3
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


CLOSED = [("frozen", 402), ("forbidden", 403), ("gone", 404), ("locked", 423), ("refused", 430)]


@pytest.mark.parametrize(("state", "status"), CLOSED)
def test_a_shop_that_is_not_open_says_so_in_every_answer(shop: Shop, state: str, status: int) -> None:
    shop.control("shop", state=state)
    answer = shop.graphql("{ shop { name } }")
    assert answer.status_code == status
    assert isinstance(answer.json()["errors"], str)
    shop.control("shop", state="open")
    assert shop.graphql("{ shop { name } }").status_code == 200


def test_a_plan_decides_the_bucket(shop: Shop) -> None:
    shop.control("shop", plan="plus")
    status = shop.graphql("{ shop { name } }").json()["extensions"]["cost"]["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (20_000, 1_000)


def test_a_failure_after_the_work_has_done_it(shop: Shop) -> None:
    product = next(iter(shop.store.products.values()))
    shop.control("faults", next=[{"status": 503, "after": True, "when": "productUpdate"}])
    assert shop.graphql("{ shop { name } }").status_code == 200
    write = "mutation($id: ID!) { productUpdate(product: {id: $id, title: \"Done\"}) { userErrors { message } } }"
    assert shop.graphql(write, id=product.gid).status_code == 503
    assert product.title == "Done"


def test_a_cut_answer_is_half_an_answer(shop: Shop) -> None:
    shop.control("faults", next=[{"cut": True}])
    with pytest.raises(requests.RequestException):
        shop.graphql("{ products(first: 50) { nodes { id title } } }")
    assert shop.graphql("{ shop { name } }").status_code == 200


def test_orders_arrive_as_many_as_asked_for(shop: Shop) -> None:
    before = len(shop.store.orders)
    shop.control("orders", count=3, seed=5)
    assert len(shop.store.orders) == before + 3


def test_the_control_door_can_be_locked() -> None:
    with serving(create_app(Store(products=1), control_secret="open sesame")) as url:
        assert requests.get(f"{url}/__control/counts", timeout=10).status_code == 404
        opened = requests.get(f"{url}/__control/counts", timeout=10, headers={"X-Control-Secret": "open sesame"})
        assert opened.json()["requests"] == 0
