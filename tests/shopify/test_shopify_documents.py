"""Every document that the connector can send is valid by Shopify's own schema and uses nothing deprecated."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    parse,
    validate,
    visit,
)
from graphql.execution import get_variable_values
from shopify_helpers import ITEM, LEVEL, LOCATION, PRODUCT, VARIANT, create, delete, mapping_of, update

from backend.core.mapping import rule_for
from backend.core.model import Field, Mapping, Op
from backend.core.values import Kind, Value
from backend.shopify import actions, creating, documents, watched
from backend.shopify.documents import dig, selection, steps
from backend.shopify.known import Held, Known, Level
from backend.shopify.names import CHANNELS, UNKNOWN, names_document
from backend.shopify.resource import METAFIELD, metafield, shape
from backend.shopify.resources import RESOURCES
from backend.shopify.views import VIEW, view
from backend.shopify.writes import COUNTRIES, request_for

SCHEMA_FILE = Path(__file__).parents[2] / "demo" / "shopify" / "vendor" / "admin_2026-10.json.gz"
ALLOWED_DEPRECATIONS: dict[str, str] = {
    "Publication.name": "recordings show it filled; the catalogue that is to replace it may be null",
    "Collection.ruleSet": "conditions are told in words by it; the sources that replace it have nineteen types",
}
"""`Type.field` → why it is used all the same."""

EXAMPLES: dict[str, Value] = {
    "text": "Text", "html": "<p>Text</p>", "integer": 5, "decimal": Decimal("0.5"), "money": Decimal("24.00"),
    "boolean": True, "list": ("blue", "red"), "refs": ("gid://shopify/Anything/9",),
}


METAFIELD_KINDS: tuple[Kind, ...] = ("text", "integer", "decimal", "money", "boolean", "list")
MARKS = {0: {"metafields": [{"namespace": creating.NAMESPACE, "key": creating.KEY, "type": "id", "value": "k-0"}]}}


class Anything(dict[tuple[str, str], Held]):
    """Every metafield has been read: there is none of it, so that what is emptied has nothing to be compared with."""

    def get(self, key: tuple[str, str], default: Any = None) -> Held:
        return Held("[\"red\"]", "digest", "list.single_line_text_field") if key[1].endswith("list") else Held()


class AnythingNamed(dict[str, str | None]):
    """Every name names something."""

    def get(self, key: str, default: Any = None) -> str:
        return "gid://shopify/Anything/9"


def known() -> Known:
    other = "gid://shopify/Product/2"
    return Known(
        names={kind: AnythingNamed() for kind in UNKNOWN},
        sources={"gid://shopify/Collection/1": "gid://shopify/CollectionConditionsSource/8"},
        shipments={"gid://shopify/Order/1": [{"id": "gid://shopify/Fulfillment/7", "trackingInfo": []}]},
        items={VARIANT: ITEM},
        products={VARIANT: PRODUCT}, levels={LEVEL: Level(ITEM, LOCATION, True)},
        metafields=Anything(), options={PRODUCT: ("Size",), other: ("Title",)}, born={other: "gid://shopify/ProductVariant/12"})


def example(about: Field) -> Value:
    if about.choices:
        return about.choices[0]
    if about.name == "imageUrl":
        return "https://x.example/a.png"
    return "DE" if about.write.split(".")[-1] in COUNTRIES else EXAMPLES[about.kind]


def before(about: Field) -> Value:
    if about.kind == "list":
        return ("red",) if about.name.startswith(METAFIELD) else ("red", "Old")
    if about.kind == "refs":
        return ("gid://shopify/Anything/8",)
    return False if about.kind == "boolean" and about.name.startswith(METAFIELD) else None


def mappings() -> list[tuple[str, Mapping]]:
    found = []
    for name, resource in RESOURCES.items():
        found.append((f"{name}-all", mapping_of(name)))
        found += [(f"{name}-{f.name}", mapping_of(name, f.name)) for f in resource.fields]
        if resource.owner:
            whole = mapping_of(name)
            metafields = [replace(rule_for(metafield(f"metafields.custom.{kind}")), field=replace(
                metafield(f"metafields.custom.{kind}"), kind=kind)) for kind in METAFIELD_KINDS]
            found.append((f"{name}-metafields", whole.with_fields([*whole.fields, *metafields])))
            found.append((f"{name}-only-metafields", whole.with_fields(metafields)))
    return found


def read_documents(mapping: Mapping) -> list[tuple[str, dict[str, Any]]]:
    page = {"first": 250, "after": None, "query": None}
    resource = shape(mapping)
    below = {"below": 10, "belowAfter": None} if resource.below else {}
    sent = [(documents.list_document(mapping), page | below), (documents.nodes_document(mapping), {"ids": [PRODUCT]})]
    if resource.search:
        sent.append((documents.ids_document(resource), page))
    if below:
        sent.append((documents.above_document(mapping), {"ids": [ITEM], **below}))
    if resource.finds:
        sent.append((documents.find_document(mapping, 2), {"i0": {"id": PRODUCT}, "i1": {"id": PRODUCT}}))
    if resource.newest:
        sent.append((documents.newest_document(mapping), {"first": 100}))
    for path in (rule.field.path for rule in mapping.fields):
        if path.startswith(VIEW) and (listed := view(path).listed):
            sent.append((documents.longer_document(resource, listed), {"ids": [PRODUCT], "first": 250, "after": None}))
    if resource.writer == "variants":
        sent.append((documents.siblings_document(mapping), {"id": PRODUCT, "first": 250, "after": None}))
    return sent


def write_ops(mapping: Mapping) -> list[list[Op]]:
    resource = shape(mapping)
    writable = [rule.field for rule in mapping.fields if rule.field.writable]
    if resource.writer == "stock":
        stocked = [[create(1, variant=VARIANT, location=LOCATION, **{f.name: 5}) for f in writable]]
        return [[update(LEVEL, **{f.name: (3, 5)})] for f in writable] + (
            stocked if writable and {"variant", "location"} <= set(mapping.names) else [])
    key = VARIANT if resource.writer == "variants" else f"gid://shopify/{resource.type}/1"
    batches: list[list[Op]] = [[delete(key)]] if resource.deletable else []
    if writable:
        changes = {f.name: (before(f), example(f)) for f in writable}
        cleared = {f.name: (("red",), None) for f in writable if f.kind == "list"}
        batches.append([update(key, **changes)])
        batches += [[update(key, **cleared)]] if cleared else []
    filled = {f.name: example(f) for f in writable}
    only_new = {"options": "Colour: Red, Blue", "imageUrl": "https://x.example/a.png", "lines": ("2 × LIN-S",)}
    filled |= {name: value for name, value in only_new.items()
               if name in mapping.names and mapping.rule(name).field.on_create}
    if resource.writer == "one" and resource.creatable and mapping.whole and all(
            f.name in mapping.names for f in resource.fields if f.required):
        batches.append([create(1, **filled), create(2, **filled)])
    if resource.writer == "variants" and mapping.whole and "product" in mapping.names:
        batches.append([create(1, product=PRODUCT, option1="L", **filled),
                        create(2, product="gid://shopify/Product/2", **filled)] if "option1" in mapping.names
                       else [create(2, product="gid://shopify/Product/2", **filled)])
    return batches


@pytest.mark.parametrize(("name", "mapping"), mappings(), ids=[name for name, _ in mappings()])
def test_every_document_of_a_mapping_fits_the_schema(name: str, mapping: Mapping) -> None:
    for document, variables in read_documents(mapping):
        assert_fits(document, variables)
    for ops in write_ops(mapping):
        request = request_for(mapping, ops, known(), key="k", run="r", weight_unit="KILOGRAMS", marks=MARKS)
        assert request.refused == {}
        assert request.calls
        assert_fits(request.document, request.variables)


@pytest.mark.parametrize(("document", "variables"), [
    (documents.PREPARE, {}), (documents.OPTIONS, {"ids": [PRODUCT]}),
    (documents.ITEMS, {"ids": [VARIANT]}), (CHANNELS, {"first": 250, "after": None}),
    (names_document("collections", 2), {"n0": {"handle": "a"}, "n1": {"handle": "b"}}),
    (names_document("products", 1), {"n0": {"handle": "a"}}), (names_document("categories", 1), {"n0": "Hats"}),
    (names_document("skus", 1), {"n0": 'sku:"LIN-S"'}),
    (names_document("collectionIds", 1), {"n0": "gid://shopify/Collection/1"}),
    (names_document("productIds", 2), {"n0": "gid://shopify/Product/1", "n1": "gid://shopify/Product/2"}),
    (documents.DEFINITIONS, {"owner": "PRODUCT", "first": 250, "after": None}),
    (creating.LOOK, {"owner": "PRODUCT", "namespace": creating.NAMESPACE, "key": creating.KEY}),
    (creating.DEFINE, {"definition": {"namespace": creating.NAMESPACE, "key": creating.KEY, "name": "N", "type": "id",
                                      "ownerType": "PRODUCT", "capabilities": {"uniqueValues": {"enabled": True}}}})])
def test_the_other_documents_fit_the_schema(document: str, variables: dict[str, Any]) -> None:
    assert_fits(document, variables)


ALL = [mapping_of(name) for name in RESOURCES]


@pytest.mark.parametrize("mappings", [ALL, *([mapping] for mapping in ALL)], ids=lambda found: "-".join(
    mapping.name for mapping in found) if len(found) == 1 else "all")
def test_the_documents_that_look_for_changes_fit_the_schema(mappings: list[Mapping]) -> None:
    lists = {name for mapping in mappings for name in watched.lists_of(mapping)} | {watched.EVENTS}
    for stock in (False, True):
        assert_fits(watched.poll_document(lists, stock=stock),
                    {watched.LISTS[name].query: "x" for name in lists if watched.LISTS[name].query})
    for name in lists:
        assert_fits(watched.page_document(name), {"after": "x"} | (
            {"query": "x"} if watched.LISTS[name].query else {}))
    if any(watched.kin_of(mapping) for mapping in mappings):
        assert_fits(watched.kin_document(mappings), {"ids": [ITEM]})


@pytest.mark.parametrize("name", actions.DOCUMENTS)
def test_what_an_action_sends_fits_the_schema(name: str) -> None:
    money = {"shopMoney": {"amount": "5.0", "currencyCode": "EUR"}}
    place = {"id": "gid://shopify/FulfillmentOrder/1", "status": "OPEN", "assignedLocation": {"name": "Barn"},
             "supportedActions": [{"action": "CREATE_FULFILLMENT"}], "lineItems": {"nodes": [
                 {"id": "gid://shopify/FulfillmentOrderLineItem/1", "remainingQuantity": 2,
                  "lineItem": {"name": "Lamp", "sku": "L"}}]}}
    thing = {"id": "gid://shopify/Order/1", "closedAt": None, "cancelledAt": None, "totalOutstandingSet": money,
             "totalReceivedSet": money, "fulfillments": [], "fulfillmentOrders": {"nodes": [place]}, "status": "OPEN",
             "invoiceSentAt": None, "email": "a@b.c", "totalPriceSet": money}
    options = {"tracking": {"number": "1Z", "company": "UPS", "url": "https://x.example/1"}, "reason": "CUSTOMER",
               "restock": True, "refund": True, "staff_note": "x", "subject": "S", "message": "M"}
    [step] = actions.ACTIONS[name].steps(thing, options)
    document, variables = actions.DOCUMENTS[name], step.variables
    assert_fits(document, variables)
    assert_fits(actions.look_document(actions.ACTIONS[name].resource), {"ids": ["gid://shopify/Order/1"]})


def test_a_document_is_the_same_text_for_the_same_mapping() -> None:
    assert documents.list_document(mapping_of("variants")) == documents.list_document(mapping_of("variants"))


@pytest.mark.parametrize(("paths", "expected"), [
    (["id", "seo.title", "seo.description"], "id seo { title description }"),
    (["selectedOptions.0.value", "selectedOptions.1.value"], "selectedOptions { value }"),
    (["item.variants.nodes.0.id"], "item { variants(first: 1) { nodes { id } } }"),
    (["quantities.available", "quantities.on_hand"],
     'quantities(names: ["available", "on_hand"]) { name quantity }'),
])
def test_paths_become_a_selection(paths: list[str], expected: str) -> None:
    assert selection(paths) == expected


@pytest.mark.parametrize(("path", "expected"), [
    ("seo.title", "T"), ("options.1.value", "L"), ("options.2.value", None), ("cost.amount", None),
    ("levels.nodes.0.id", "x"), ("quantities.on_hand", 7),
])
def test_a_path_finds_its_value_in_an_answer(path: str, expected: object) -> None:
    node = {"seo": {"title": "T"}, "options": [{"value": "Red"}, {"value": "L"}], "cost": None,
            "levels": {"nodes": [{"id": "x"}]}, "quantities": [{"name": "available", "quantity": 5},
                                                               {"name": "on_hand", "quantity": 7}]}
    assert dig(node, steps(path)) == expected


@cache
def schema() -> GraphQLSchema:
    content = json.loads(gzip.decompress(SCHEMA_FILE.read_bytes()))
    return build_client_schema(content.get("data", content), assume_valid=True)


def assert_fits(document: str, variables: dict[str, Any]) -> None:
    tree = parse(document)
    assert [error.message for error in validate(schema(), tree)] == []
    assert deprecated_in(tree) - ALLOWED_DEPRECATIONS.keys() == set()
    operation = next(one for one in tree.definitions if isinstance(one, OperationDefinitionNode))
    declared = {variable.variable.name.value for variable in operation.variable_definitions or ()}
    assert set(variables) == declared
    coerced = get_variable_values(schema(), operation.variable_definitions or (), variables)
    assert not isinstance(coerced, list), [error.message for error in coerced]


def deprecated_in(tree: Any) -> set[str]:
    info = TypeInfo(schema())
    found: set[str] = set()

    class Watch(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            about = info.get_field_def()
            if about is not None and about.deprecation_reason:
                found.add(f"{info.get_parent_type()}.{node.name.value}")

        def enter_argument(self, node: Any, *_: Any) -> None:
            about = info.get_argument()
            if about is not None and about.deprecation_reason:
                found.add(f"argument {node.name.value}")

    visit(tree, TypeInfoVisitor(info, Watch()))
    return found


def test_the_check_for_deprecated_fields_sees_one() -> None:
    assert deprecated_in(parse("{ inventoryItem(id: 1) { variant { id } } }")) != set()
