"""Which products a collection holds: those chosen by hand, and those that its rules and conditions find.

A collection is made of sources (2026-07 and later). The first one stands for the collection's own `product_ids` and
`rule_set`; it shares the list of chosen products with the collection, so either way of writing shows in the other.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .ids import gid
from .model import Collection, CollectionSource, Product

if TYPE_CHECKING:
    from .state import Store

# The columns of old rules and the kinds of new conditions that mean the same.
KINDS = {"TAG": "productTag", "TITLE": "productTitle", "TYPE": "productType", "VENDOR": "productVendor",
         "VARIANT_TITLE": "variantTitle", "VARIANT_PRICE": "variantPrice",
         "VARIANT_COMPARE_AT_PRICE": "variantCompareAtPrice", "VARIANT_INVENTORY": "variantInventory"}
_COLUMNS = {kind: column for column, kind in KINDS.items()}
# Conditions name some relations otherwise than rules do.
_RELATIONS = {"TAGGED_WITH": "EQUALS", "NOT_TAGGED_WITH": "NOT_EQUALS", "DOES_NOT_CONTAIN": "NOT_CONTAINS"}


def members(store: Store, collection: Collection) -> list[int]:
    """Product ids: chosen ones in the order they were added, then by id those that are found."""
    found = dict.fromkeys(number for number in collection.product_ids if number in store.products)
    if collection.rule_set is not None and not collection.members_adopted:
        rules = collection.rule_set["rules"]
        join: Callable[[Any], bool] = any if collection.rule_set["appliedDisjunctively"] else all
        found |= dict.fromkeys(product.id for product in store.products.values()
                               if rules and join(_fits(store, product, rule) for rule in rules))
    for source in collection.sources:
        found |= dict.fromkeys(number for number in source.product_ids if number in store.products)
        join = any if source.match_type == "ANY" else all
        if source.conditions:
            found |= dict.fromkeys(product.id for product in store.products.values()
                                   if join(_meets(store, product, condition) for condition in source.conditions))
        for number in source.excluded_ids:
            found.pop(number, None)
    return list(found)


def holds(store: Store, collection: Collection, product: Product) -> bool:
    """Whether the product is a member, without looking at any other."""
    if any(product.id in source.excluded_ids for source in collection.sources):
        return False
    if product.id in collection.product_ids or any(product.id in source.product_ids for source in collection.sources):
        return True
    rules = collection.rule_set["rules"] if collection.rule_set and not collection.members_adopted else []
    if rules:
        disjunct = bool(collection.rule_set and collection.rule_set["appliedDisjunctively"])
        join: Callable[[Any], bool] = any if disjunct else all
        if join(_fits(store, product, rule) for rule in rules):
            return True
    return any(source.conditions and (any if source.match_type == "ANY" else all)(
        _meets(store, product, condition) for condition in source.conditions) for source in collection.sources)


def is_smart(collection: Collection) -> bool:
    """Whether rules or conditions find members; such a one takes none by hand through the old mutations."""
    return collection.rule_set is not None or any(source.conditions for source in collection.sources)


def main_source(store: Store, collection: Collection) -> CollectionSource:
    """The source that stands for the collection's own lists, made when it is first looked at."""
    if not collection.sources:
        collection.sources.append(CollectionSource(id=store.new_id(), title=collection.title,
                                                   product_ids=collection.product_ids))
    return collection.sources[0]


def rule_set_shown(collection: Collection) -> dict[str, Any] | None:
    """The rules as old readers see them; None for manual ones and for conditions that no rule can say."""
    if collection.rule_set is not None or len(collection.sources) != 1 or collection.product_ids:
        return collection.rule_set
    source = collection.sources[0]
    rules = []
    for condition in source.conditions:
        values = condition.get("values") or [condition.get("value")]
        if condition["kind"] not in _COLUMNS or len(values) != 1:
            return None
        value = values[0]["amount"] if isinstance(values[0], dict) else str(values[0])
        rules.append({"column": _COLUMNS[condition["kind"]], "condition": value,
                      "relation": _RELATIONS.get(condition["relation"], condition["relation"])})
    return {"appliedDisjunctively": source.match_type == "ANY", "rules": rules} if rules else None


def conditions_shown(collection: Collection, source: CollectionSource) -> list[dict[str, Any]]:
    """The conditions of a source; those of the first one may stand as rules on the collection."""
    if source.conditions or collection.rule_set is None or source is not collection.sources[0]:
        return source.conditions
    shown = []
    for place, rule in enumerate(collection.rule_set["rules"]):
        kind = KINDS.get(rule["column"], "unknown")
        relation = {"NOT_CONTAINS": "DOES_NOT_CONTAIN"}.get(rule["relation"], rule["relation"])
        if kind == "productTag":
            relation = {"EQUALS": "TAGGED_WITH", "NOT_EQUALS": "NOT_TAGGED_WITH"}.get(rule["relation"], relation)
        value = rule["condition"]
        row: dict[str, Any] = {"id": gid("CollectionSourceCondition", f"{source.id}{place:03}"), "kind": kind,
                               "relation": relation, "matchType": "ANY"}
        if kind in ("variantPrice", "variantCompareAtPrice"):
            row["value"] = {"amount": value}
        elif kind == "variantInventory":
            row["value"] = int(value)
        else:
            row["values"] = [value]
        shown.append(row)
    return shown


def _meets(store: Store, product: Product, condition: dict[str, Any]) -> bool:
    if condition["kind"] == "productStatus":
        return (product.status in condition["values"]) == (condition["relation"] == "EQUALS")
    relation = _RELATIONS.get(condition["relation"], condition["relation"])
    values = condition.get("values")
    if values is None:
        value = condition["value"]
        values = [value["amount"] if isinstance(value, dict) else value]
    join: Callable[[Any], bool] = all if condition.get("matchType") == "ALL" else any
    return join(_fits(store, product, {"column": _COLUMNS.get(condition["kind"]), "relation": relation,
                                       "condition": str(value)}) for value in values)


def _fits(store: Store, product: Product, rule: dict[str, Any]) -> bool:
    values = {"TITLE": [product.title], "VENDOR": [product.vendor], "TYPE": [product.product_type],
              "TAG": product.tags, "VARIANT_TITLE": [store.variant_title(v) for v in product.variant_list],
              "VARIANT_PRICE": [float(v.price) for v in product.variant_list],
              "VARIANT_COMPARE_AT_PRICE": [float(v.compare_at_price) for v in product.variant_list
                                           if v.compare_at_price is not None],
              "IS_PRICE_REDUCED": [str(any(v.compare_at_price is not None and v.compare_at_price > v.price
                                           for v in product.variant_list)).lower()],
              "VARIANT_WEIGHT": [float(v.inventory_item.weight_value) for v in product.variant_list],
              "VARIANT_INVENTORY": [store.available(v) for v in product.variant_list]}.get(rule["column"], [])
    wanted = rule["condition"]
    relation = rule["relation"]
    if relation == "IS_SET":
        return bool(values)
    if relation in ("NOT_EQUALS", "NOT_CONTAINS"):
        return not any(_holds(value, relation.removeprefix("NOT_"), wanted) for value in values)
    return any(_holds(value, relation, wanted) for value in values)


def _holds(value: Any, relation: str, wanted: str) -> bool:
    if isinstance(value, (int, float)):
        try:
            number = float(wanted)
        except ValueError:
            return False
        return {"EQUALS": value == number, "GREATER_THAN": value > number, "LESS_THAN": value < number}.get(
            relation, False)
    text, wanted = str(value).lower(), wanted.lower()
    return {"EQUALS": text == wanted, "CONTAINS": wanted in text, "STARTS_WITH": text.startswith(wanted),
            "ENDS_WITH": text.endswith(wanted)}.get(relation, False)
