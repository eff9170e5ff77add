"""The calculated order: how an order would be when its edit is committed."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..ids import gid
from ..registry import resolves
from ..trade import Edit, Line, total
from .orders import bag


@resolves("CalculatedOrder", "originalOrder")
def original(edit: Edit, arguments: dict[str, Any], context: Context) -> Any:
    return edit.order


@resolves("CalculatedOrder", "committed")
def committed(edit: Edit, arguments: dict[str, Any], context: Context) -> bool:
    return False


@resolves("CalculatedOrder", "lineItems")
def lines(edit: Edit, arguments: dict[str, Any], context: Context) -> Window:
    return _page([*edit.order.lines, *edit.added], edit, arguments)


@resolves("CalculatedOrder", "addedLineItems")
def added(edit: Edit, arguments: dict[str, Any], context: Context) -> Window:
    return _page(edit.added, edit, arguments)


@resolves("CalculatedOrder", "subtotalLineItemsQuantity")
def quantity(edit: Edit, arguments: dict[str, Any], context: Context) -> int:
    return sum(edit.quantity_of(line) for line in [*edit.order.lines, *edit.added])


@resolves("CalculatedOrder", "subtotalPriceSet")
def subtotal(edit: Edit, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return bag(_subtotal(edit), edit.order)


@resolves("CalculatedOrder", "totalPriceSet")
def total_price(edit: Edit, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = edit.order
    return bag(order.total(current=True) - order.subtotal(current=True) + _subtotal(edit), order)


@resolves("CalculatedOrder", "totalOutstandingSet")
def outstanding(edit: Edit, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = edit.order
    return bag(order.outstanding() - order.subtotal(current=True) + _subtotal(edit), order)


@resolves("CalculatedLineItem", "id")
def line_id(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> str:
    return gid("CalculatedLineItem", each[1].id)


@resolves("CalculatedLineItem", "quantity", "editableQuantity")
def line_quantity(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> int:
    return each[0].quantity_of(each[1])


@resolves("CalculatedLineItem", "editableQuantityBeforeChanges")
def line_before(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> int:
    return 0 if each[1] in each[0].added else each[1].current_quantity


@resolves("CalculatedLineItem", "originalUnitPriceSet", "discountedUnitPriceSet")
def line_price(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return bag(each[1].unit_price, each[0].order)


@resolves("CalculatedLineItem", "title")
def line_title(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> str:
    return each[1].title


@resolves("CalculatedLineItem", "variantTitle")
def line_variant_title(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> str | None:
    return each[1].variant_title


@resolves("CalculatedLineItem", "sku")
def line_sku(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> str | None:
    return each[1].sku


@resolves("CalculatedLineItem", "variant")
def line_variant(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> Any:
    variant = each[1].variant
    return variant if variant is not None and variant.id in context.store.variants else None


@resolves("CalculatedLineItem", "customAttributes")
def line_attributes(each: tuple[Edit, Line], arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return each[1].custom_attributes


def _page(rows: list[Line], edit: Edit, arguments: dict[str, Any]) -> Window:
    page = window(rows, arguments)
    page.nodes = [(edit, line) for line in page.nodes]
    return page


def _subtotal(edit: Edit) -> Any:
    return total(line.unit_price.times(edit.quantity_of(line)) for line in [*edit.order.lines, *edit.added]) \
        - edit.order.discount
