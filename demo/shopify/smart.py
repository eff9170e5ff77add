"""Which products a collection holds: those put there, or those its rules find."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .model import Collection, Product

if TYPE_CHECKING:
    from .state import Store


def members(store: Store, collection: Collection) -> list[int]:
    """Product ids; in the order they were added for manual collections, by id for smart ones."""
    if collection.rule_set is None or collection.members_adopted:
        return [number for number in collection.product_ids if number in store.products]
    rules = collection.rule_set["rules"]
    join: Callable[[Any], bool] = any if collection.rule_set["appliedDisjunctively"] else all
    return [product.id for product in store.products.values()
            if rules and join(_fits(store, product, rule) for rule in rules)]


def _fits(store: Store, product: Product, rule: dict[str, Any]) -> bool:
    values = {"TITLE": [product.title], "VENDOR": [product.vendor], "TYPE": [product.product_type],
              "TAG": product.tags, "VARIANT_TITLE": [store.variant_title(v) for v in product.variant_list],
              "VARIANT_PRICE": [float(v.price) for v in product.variant_list],
              "VARIANT_COMPARE_AT_PRICE": [float(v.compare_at_price) for v in product.variant_list
                                           if v.compare_at_price is not None],
              "VARIANT_INVENTORY": [store.available(v) for v in product.variant_list]}.get(rule["column"], [])
    wanted = rule["condition"]
    relation = rule["relation"]
    if relation in ("NOT_EQUALS", "NOT_CONTAINS"):
        return not any(_holds(value, relation.removeprefix("NOT_"), wanted) for value in values)
    return any(_holds(value, relation, wanted) for value in values)


def _holds(value: Any, relation: str, wanted: str) -> bool:
    if isinstance(value, (int, float)):
        number = float(wanted)
        return {"EQUALS": value == number, "GREATER_THAN": value > number, "LESS_THAN": value < number}.get(
            relation, False)
    text, wanted = str(value).lower(), wanted.lower()
    return {"EQUALS": text == wanted, "CONTAINS": wanted in text, "STARTS_WITH": text.startswith(wanted),
            "ENDS_WITH": text.endswith(wanted)}.get(relation, False)
