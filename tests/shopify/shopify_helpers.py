"""Mappings and ops that the tests of the Shopify connector share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import requests
from flask import Flask, Response, request

from backend.core.model import Change, Create, Delete, Direction, FieldRule, Mapping, Op, Receipt, Side, Update, Why
from backend.core.values import Value
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from demo.serving import serving

PRODUCT, VARIANT = "gid://shopify/Product/1", "gid://shopify/ProductVariant/11"
LEVEL = "gid://shopify/InventoryLevel/7?inventory_item_id=21"
ITEM, LOCATION = "gid://shopify/InventoryItem/21", "gid://shopify/Location/31"


def mapping_of(name: str, *fields: str, **more: Any) -> Mapping:
    """A mapping of these fields, or of all that the resource has."""
    resource = RESOURCES[name]
    chosen = [f for f in resource.fields if not fields or f.name in fields]
    return Mapping(resource, resource.table,
                   tuple(FieldRule(f, f.label.replace(" ", "_"), Direction.BOTH, f.rule) for f in chosen),
                   resource.match, **more)


def update(key: str, called: str = "", **changes: tuple[Value, Value]) -> Update:
    """`update(key, price=(before, after))`; two underscores stand for the dot in a field's name."""
    return Update(Side.REMOTE, key, 1, tuple(
        Change(name.replace("__", "."), before, after, Why.CHANGED) for name, (before, after) in changes.items()),
        called)


def create(row: int = 1, called: str = "", **values: Value) -> Create:
    return Create(Side.REMOTE, row, {name.replace("__", "."): value for name, value in values.items()}, called)


def delete(key: str, called: str = "") -> Delete:
    return Delete(Side.REMOTE, key, 1, called)


STORE = "fieldhouse.myshopify.com"


def write(connector: ShopifyConnector, mapping: Mapping, *ops: Op) -> list[Receipt]:
    batches = list(connector.batches(mapping, ops))
    assert sorted(map(id, flat(batches))) == sorted(map(id, ops))
    receipts = [receipt for batch in batches for receipt in connector.apply(mapping, batch)]
    by_op = {id(receipt.op): receipt for receipt in receipts}
    return [by_op[id(op)] for op in ops]


def row_of(connector: ShopifyConnector, mapping: Mapping, key: str) -> dict[str, Any]:
    return mapping.values(connector.read(mapping, [key]).rows[key])


def counted(at: Any) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{at.url}/__control/counts", timeout=10).json()
    return answer


def flat(batches: Any) -> list[Op]:
    return [op for batch in batches for op in batch]


class Script:
    """A tiny store that answers with what a test wrote down, in order, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    def app(self) -> Flask:
        app = Flask("script")

        @app.post("/admin/api/<version>/graphql.json")
        def graphql(version: str) -> Response:
            self.asked.append(orjson.loads(request.get_data()))
            self.tokens.append(request.headers.get("X-Shopify-Access-Token", ""))
            status, body, headers = self.answers.pop(0)
            content = body if isinstance(body, bytes) else orjson.dumps(body)
            return Response(content, status, {"X-Shopify-API-Version": version, **headers})

        @app.post("/admin/oauth/access_token")
        def token() -> Response:
            self.asked.append(dict(request.form))
            status, body, headers = self.answers.pop(0)
            return Response(body if isinstance(body, bytes) else orjson.dumps(body), status, headers)

        return app


def says(body: Any, status: int = 200, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """One scripted answer; `Retry_After="3"` becomes the header Retry-After."""
    return status, body, {name.replace("_", "-"): text for name, text in headers.items()}


@contextmanager
def scripted(*answers: Any) -> Iterator[tuple[str, Script]]:
    script = Script(*answers)
    with serving(script.app()) as url:
        yield url, script
    assert not script.answers, f"{len(script.answers)} scripted answers were never asked for"
