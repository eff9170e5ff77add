"""Custom fields: the way to any plain value, checked where it is mapped, read like every other field."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shopify_helpers import mapping_of
from test_shopify_documents import assert_fits

from backend.config import parse
from backend.core.mapping import rule_for
from backend.core.model import Mapping
from backend.core.values import UNREAD
from backend.errors import ConfigError
from backend.shopify import documents
from backend.shopify.paths import INDEX, NoSuchPath, custom_field, label_of, value_at
from backend.shopify.resources import RESOURCES

GOOD = [
    ("orders", "billingAddress.city", "text", "billingAddress.city"),
    ("orders", "billingAddress.countryCodeV2", "choice", "billingAddress.countryCodeV2"),
    ("orders", "paymentTerms.dueInDays", "integer", "paymentTerms.dueInDays"),
    ("orders", "paymentTerms.paymentSchedules[].dueAt", "text", "paymentTerms.paymentSchedules.nodes.*.dueAt"),
    ("orders", "lineItems[].sku", "text", "lineItems.nodes.*.sku"),
    ("orders", "lineItems[]", "integer", "lineItems.nodes.*.__typename"),
    ("orders", "fulfillments[].trackingInfo[].number", "text", "fulfillments.*.trackingInfo.*.number"),
    ("orders", "paymentGatewayNames[]", "integer", "paymentGatewayNames.*"),
    ("orders", "totalShippingPriceSet.shopMoney.amount", "money", "totalShippingPriceSet.shopMoney.amount"),
    ("orders", "customer.tags", "list", "customer.tags"),
    ("orders", "test.", None, "“test” is a plain value"),
    ("products", "media[]", "integer", "media.nodes.*.__typename"),
    ("products", "featuredMedia.preview.image.url", "text", "featuredMedia.preview.image.url"),
    ("products", "options[].name", "text", "options.*.name"),
    ("variants", "product.vendor", "text", "product.vendor"),
    ("variants", "inventoryItem.updatedAt", "datetime", "inventoryItem.updatedAt"),
    ("inventory", "item.createdAt", "datetime", "item.createdAt"),
    ("order_lines", "order.processedAt", "datetime", "order.processedAt"),
    ("order_lines", "product.title", "text", "product.title"),
    ("orders", "shippingAddress", None, None),
    ("orders", "shippingAdress.city", None, "Did you mean shippingAddress"),
    ("orders", "shippingAddress.town", None, "MailingAddress has no “town”"),
    ("orders", "note.length", None, "“note” is a plain value"),
    ("orders", "lineItems.sku", None, "write lineItems[] to count it"),
    ("orders", "note[]", None, "“note” in “note[]” is no list"),
    ("orders", "customer.lastOrder", None, "is no plain value"),
    ("orders", "fulfillments[].fulfillmentLineItems[].lineItem.customAttributes[].key", None, "goes through 3 lists"),
    ("orders", "lineItems[].customAttributes[].nothing", None, "Attribute has no “nothing”"),
    ("order_lines", "order", None, None),
    ("inventory", "item.", None, "has no “”"),
]


@pytest.mark.parametrize(("resource", "name", "kind", "path"), GOOD, ids=lambda value: str(value))
def test_a_way_is_checked_against_the_schema(resource: str, name: str, kind: str | None, path: str | None) -> None:
    described = RESOURCES[resource].field(name)
    if kind is None:
        assert described is None or described in RESOURCES[resource].fields
        assert (path or "") in RESOURCES[resource].no_field(name)
    else:
        assert described is not None
        assert (described.kind, described.path, described.write, described.usual) == (kind, path, "", False)


@pytest.mark.parametrize(("resource", "name"), [(one[0], one[1]) for one in GOOD if one[2]])
def test_its_documents_fit_the_schema(resource: str, name: str) -> None:
    mapping = with_custom(resource, name)
    below = {"below": 10, "belowAfter": None} if getattr(mapping.resource, "below", None) else {}
    assert_fits(documents.list_document(mapping), {"first": 250, "after": None, "query": None, **below})
    assert_fits(documents.nodes_document(mapping), {"ids": ["gid://shopify/Order/1"]})


def with_custom(resource: str, *names: str) -> Mapping:
    mapping = mapping_of(resource)
    found = [RESOURCES[resource].field(name) for name in names]
    return mapping.with_fields([*mapping.fields, *(rule_for(field) for field in found if field is not None)])


def test_the_index_is_that_of_the_vendored_schema() -> None:
    from demo.shopify.path_index import index

    assert json.loads(INDEX.read_text()) == index()


def test_a_check_costs_no_start_its_second() -> None:
    script = ("import time, backend.shopify.resources as r; t = time.perf_counter(); "
              "assert r.RESOURCES['orders'].field('shippingAddress.longitude'); print(time.perf_counter() - t)")
    took = min(float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                                    cwd=Path(__file__).parents[2]).stdout) for _ in range(2))
    assert took < 0.1


ORDER: dict[str, Any] = {
    "note": None, "lines": {"nodes": [{"sku": "A", "gift": True}, {"sku": None, "gift": False}],
                            "pageInfo": {"hasNextPage": False}},
    "long": {"nodes": [{"sku": "A"}], "pageInfo": {"hasNextPage": True}},
    "sent": [{"info": [{"number": "1"}, {"number": "2"}]}, {"info": []}], "terms": None, "hidden": UNREAD,
    "partly": {"nodes": [{"sku": "A"}, {"sku": UNREAD}], "pageInfo": {"hasNextPage": False}},
}


@pytest.mark.parametrize(("path", "expected"), [
    ("lines.nodes.*.sku", "A"), ("lines.nodes.*.gift", "yes, no"), ("lines.nodes.*.__typename", UNREAD),
    ("long.nodes.*.sku", "A, …"), ("sent.*.info.*.number", "1, 2"), ("terms.nodes.*.due", None),
    ("hidden.nodes.*.sku", UNREAD), ("partly.nodes.*.sku", UNREAD), ("terms.nodes.*.__typename", 0),
])
def test_what_stands_there_is_joined_or_counted(path: str, expected: Any) -> None:
    found = value_at(path)(ORDER)
    assert found is expected if expected is UNREAD else found == expected


def test_a_long_list_is_not_counted() -> None:
    thing = {"lines": {"nodes": [{"__typename": "LineItem"}] * 100, "pageInfo": {"hasNextPage": True}}}
    assert value_at("lines.nodes.*.__typename")(thing) is UNREAD
    thing["lines"]["pageInfo"]["hasNextPage"] = False
    assert value_at("lines.nodes.*.__typename")(thing) == 100


def test_custom_fields_are_read_with_all_others(start: Callable[..., Any]) -> None:
    at = start(products=6, orders=6)
    mapping = with_custom("orders", "lineItems[].sku", "lineItems[]", "shippingAddress.formattedArea", "customer.tags")
    order = next(order for order in at.store.orders.values() if len(order.lines) > 1)
    row = mapping.values(at.connector.read(mapping, [order.gid]).rows[order.gid])
    assert row["lineItems[]"] == len(order.lines)
    assert row["lineItems[].sku"] == ", ".join(line.sku for line in order.lines if line.sku)
    assert row["customer.tags"] == (tuple(sorted(order.customer.tags)) or None)
    whole = at.connector.read(mapping)
    assert mapping.values(whole.rows[order.gid]) == row


def test_sync_yaml_takes_a_way_and_explains_a_wrong_one() -> None:
    text = "mappings:\n- resource: orders\n  fields:\n    name: Order\n    lineItems[].sku: SKUs\n"
    [settings] = parse(text, RESOURCES).mappings
    assert settings["fields"]["lineItems[].sku"]["direction"] == "to_grist"
    with pytest.raises(ConfigError, match=r"line 5.*has no “skus”.*Did you mean sku"):
        parse(text.replace("[].sku", "[].skus"), RESOURCES)


@pytest.mark.parametrize(("name", "label"), [
    ("shippingAddress.countryCodeV2", "Shipping address country code v2"), ("lineItems[].sku", "Line items sku"),
])
def test_its_column_is_named_after_it(name: str, label: str) -> None:
    assert label_of(name) == label


def test_what_only_hangs_above_needs_a_way_on() -> None:
    with pytest.raises(NoSuchPath, match="go on"):
        custom_field("LineItem", "order", ("order", "Order"))
