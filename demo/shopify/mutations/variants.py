"""productVariantsBulkCreate, -Update and -Delete: one product a call, all or nothing unless asked otherwise."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..context import Context
from ..errors import user_error
from ..model import Option, Product, Variant
from . import metafields
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted
from .inputs import PRICE_LIMIT, amount, empty_as, item_errors, write_item

_GONE = "Product does not exist"
_AT_LEAST_0 = "must be greater than or equal to 0"
_BELOW_LIMIT = f"must be less than {PRICE_LIMIT}"
_LOST_LOCATION = "couldn't be set because the location was deleted."


@mutation("productVariantsBulkUpdate")
def bulk_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "productVariants": None,
                "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    rows = [_Row(index, given, ["variants", str(index)]) for index, given in enumerate(arguments["variants"])]
    for row in rows:
        _find(row, product)
    broken = [row for row in rows if row.broken]
    if broken and not arguments.get("allowPartialUpdates"):
        return {"product": product, "productVariants": None, "userErrors": _sorted(rows)}
    for row in rows:
        if row.variant is not None and not row.broken:
            row.errors += value_errors(row.given, row.path, context, row.variant)
            _check_adjustments(row, context)
    good = [row for row in rows if row.variant is not None and not row.errors]
    _check_twice(good, product, context)
    good = [row for row in good if not row.errors]
    if arguments.get("allowPartialUpdates") or len(good) == len(rows):
        for row in good:
            assert row.variant is not None
            _write_row(row.variant, row.given, row.chosen, context)
    submitted = [row.variant for row in rows if row.variant is not None]
    return {"product": product, "productVariants": submitted or ([] if not rows else None), "userErrors": _sorted(rows)}


@mutation("productVariantsBulkCreate")
def bulk_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "productVariants": [],
                "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    rows = [_Row(index, given, ["variants", str(index)]) for index, given in enumerate(arguments["variants"])]
    standalone = _standalone(product, arguments.get("strategy") or "DEFAULT", context) if rows else None
    for row in rows:
        _read_new_options(row, product)
        if not row.errors:
            row.errors += value_errors(row.given, row.path, context)
            row.errors += _quantity_errors(row, product, context)
    _check_new_twice(rows, product, standalone, context)
    if any(row.errors for row in rows):
        return {"product": None, "productVariants": [], "userErrors": _sorted(rows)}
    created = []
    for row in rows:
        chosen = {}
        for option, name in row.named:
            chosen[option.id] = store.option_value(option, name).id
        variant = store.add_variant(product, chosen)
        _write_row(variant, row.given, {}, context)
        for quantity in row.given.get("inventoryQuantities") or ():
            location = wanted(context, quantity["locationId"], "Location")
            level = store.stock_at(variant.inventory_item, location)
            store.change_quantity(level, "available", quantity["availableQuantity"] - level.quantity("available"))
        created.append(variant)
    if standalone is not None:
        store.remove_variant(standalone)
        forget_unused_values(product, standalone)
    if rows:
        store.touch(product)
    return {"product": product, "productVariants": created, "userErrors": []}


@mutation("productVariantsBulkDelete")
def bulk_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    found = [next((variant for variant in product.variant_list if variant.gid == text), None)
             for text in arguments["variantsIds"]]
    if None in found:
        return {"product": None, "userErrors": [
            user_error(["variantsIds", str(index)], "At least one variant does not belong to the product",
                       "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT")
            for index, variant in enumerate(found) if variant is None]}
    for variant in dict.fromkeys(variant for variant in found if variant is not None):
        context.store.remove_variant(variant)
        forget_unused_values(product, variant)
    if not product.variant_list:
        product.option_list.clear()
        context.store.add_default_variant(product)
    return {"product": product, "userErrors": []}


@dataclass
class _Row:
    index: int
    given: dict[str, Any]
    path: list[str]
    errors: UserErrors = field(default_factory=list)
    broken: bool = False  # the row cannot be understood at all, as against values that do not fit
    variant: Variant | None = None
    chosen: dict[int, int | str] = field(default_factory=dict)  # option id -> value id, or a new value's name
    named: list[tuple[Option, str]] = field(default_factory=list)

    def refuse(self, below: list[str], message: str, code: str) -> None:
        self.errors.append(user_error([*self.path, *below], message, code))
        self.broken = True


def _find(row: _Row, product: Product) -> None:
    given = row.given
    if not given.get("id"):
        return row.refuse(["id"], "Product variant is missing ID attribute", "PRODUCT_VARIANT_ID_MISSING")
    row.variant = next((variant for variant in product.variant_list if variant.gid == given["id"]), None)
    if row.variant is None:
        return row.refuse(["id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST")
    if given.get("inventoryQuantities"):
        return row.refuse(["inventoryQuantities"], "Inventory quantities can only be provided during create. To "
                          "update inventory for existing variants, use inventoryAdjustQuantities.",
                          "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE")
    for place, value in enumerate(given.get("optionValues") or ()):
        option = option_of(product, value)
        if option is None:
            return row.refuse(["optionValues", str(place)], "Option does not exist", "OPTION_DOES_NOT_EXIST")
        if value.get("id"):
            known = next((each for each in option.option_values if each.gid == value["id"]), None)
            if known is None:
                return row.refuse(["optionValues", str(place)], "Option value does not exist",
                                  "OPTION_VALUE_DOES_NOT_EXIST")
            row.chosen[option.id] = known.id
        else:
            name = value.get("name") or ""
            if len(name) > 255:
                return row.refuse(["optionValues", str(place), "name"], f"Option value name {TOO_LONG}",
                                  "OPTION_VALUE_NAME_TOO_LONG")
            same = next((each for each in option.option_values if each.name == name), None)
            row.chosen[option.id] = same.id if same else name
    return None


def option_of(product: Product, value: dict[str, Any]) -> Option | None:
    """The option that a VariantOptionValueInput speaks of, by id or name (or by its value's id alone)."""
    if value.get("optionId"):
        return next((option for option in product.option_list if option.gid == value["optionId"]), None)
    if value.get("optionName") is not None:
        return product.option_named(value["optionName"])
    return next((option for option in product.option_list
                 if any(each.gid == value.get("id") for each in option.option_values)), None)


def _read_new_options(row: _Row, product: Product) -> None:
    seen: set[str] = set()
    for place, value in enumerate(row.given.get("optionValues") or ()):
        option = option_of(product, value)
        if option is None:
            return row.refuse(["optionValues", str(place)], "Option does not exist", "INVALID_INPUT")
        if option.name in seen:
            return row.refuse(["optionValues"], f"Duplicated option name '{option.name}'", "INVALID_INPUT")
        seen.add(option.name)
        if value.get("id"):
            known = next((each for each in option.option_values if each.gid == value["id"]), None)
            if known is None:
                return row.refuse(["optionValues", str(place)], "Option value does not exist", "INVALID_INPUT")
            row.named.append((option, known.name))
        else:
            name = value.get("name") or ""
            if len(name) > 255:
                return row.refuse(["optionValues", str(place), "name"], f"Option value name {TOO_LONG}",
                                  "INVALID_INPUT")
            row.named.append((option, name))
    missing = [option.name for option in product.option_list if option.name not in seen]
    if missing:
        return row.refuse([], f"You need to add option values for {', '.join(missing)}", "NEED_TO_ADD_OPTION_VALUES")
    order = {option.id: place for place, option in enumerate(product.option_list)}
    row.named.sort(key=lambda pair: order[pair[0].id])
    return None


def value_errors(given: dict[str, Any], path: list[str], context: Context,
                 variant: Variant | None = None) -> UserErrors:
    """Values that do not fit: prices, texts, the inventory item, metafields."""
    errors: UserErrors = []
    price, compare = amount(given.get("price")), amount(given.get("compareAtPrice"))
    if price is not None and price < 0:
        errors.append(user_error([*path, "price"], f"Price {_AT_LEAST_0}", "GREATER_THAN_OR_EQUAL_TO"))
    if price is not None and price >= PRICE_LIMIT:
        errors.append(user_error([*path, "price"], f"Price {_BELOW_LIMIT}", "INVALID_INPUT"))
    if compare is not None and compare < 0:
        errors.append(user_error([*path, "compareAtPrice"], _AT_LEAST_0, "GREATER_THAN_OR_EQUAL_TO"))
    if compare is not None and compare >= PRICE_LIMIT:
        errors.append(user_error([*path, "compareAtPrice"], _BELOW_LIMIT, "INVALID_INPUT"))
    if too_long(given.get("barcode")):
        errors.append(user_error([*path, "barcode"], f"Barcode {TOO_LONG}", "TOO_LONG"))
    for below, message, code in item_errors(given.get("inventoryItem") or {}):
        if below == ["cost"]:
            # Shopify reports a bad cost twice: on the row without a code, and on the field with one
            errors.append(user_error(path, message, None))
            message = f"Cost per item {message}"
        elif below == ["sku"]:
            errors.append(user_error([*path], message, "TOO_LONG"))
            message = f"SKU {message}"
        errors.append(user_error([*path, "inventoryItem", *below], message,
                                 code if code != "INVALID" else "INVALID_INPUT"))
    errors += metafields.input_errors(given.get("metafields"), context, [*path, "metafields"], "PRODUCTVARIANT",
                                      variant.gid if variant else None)
    return errors


def _quantity_errors(row: _Row, product: Product, context: Context) -> UserErrors:
    title = " / ".join(name for _, name in row.named)
    for quantity in row.given.get("inventoryQuantities") or ():
        if wanted(context, quantity["locationId"], "Location") is None:
            return [user_error([*row.path, "inventoryQuantities"], f"Quantity for {title} {_LOST_LOCATION}",
                               "TRACKED_VARIANT_LOCATION_NOT_FOUND")]
    return []


def _check_adjustments(row: _Row, context: Context) -> None:
    assert row.variant is not None
    for place, change in enumerate(row.given.get("quantityAdjustments") or ()):
        location = wanted(context, change["locationId"], "Location")
        here = [*row.path, "quantityAdjustments", str(place)]
        if location is None:
            row.errors.append(user_error([*here, "locationId"], "The specified location could not be found.",
                                         "INVALID_INPUT"))
            continue
        level = row.variant.inventory_item.levels.get(location.id)
        held = level.quantity("available") if level else 0
        if change.get("changeFromQuantity") is not None and change["changeFromQuantity"] != held:
            row.errors.append(user_error([*here, "changeFromQuantity"], "The changeFromQuantity argument no longer "
                                         "matches the persisted quantity.", "INVALID_INPUT"))


def _check_twice(rows: list[_Row], product: Product, context: Context) -> None:
    """Refuse rows whose new option values another variant has."""
    changed = [row for row in rows if row.chosen]
    if not changed:
        return
    after: dict[int, tuple[Any, ...]] = {}
    for variant in product.variant_list:
        row = next((row for row in changed if row.variant is variant), None)
        chosen = {**variant.chosen, **(row.chosen if row else {})}
        after[variant.id] = tuple(chosen.get(option.id) for option in product.option_list)
    for row in changed:
        assert row.variant is not None
        mine = after[row.variant.id]
        if sum(1 for values in after.values() if values == mine) > 1:
            names = [next((value.name for value in option.option_values if value.id == chosen), str(chosen))
                     for option, chosen in zip(product.option_list, mine, strict=True)]
            row.errors.append(user_error(row.path, f"The variant '{' / '.join(names)}' already exists. Please change "
                                         "at least one option value.", "VARIANT_ALREADY_EXISTS"))


def _check_new_twice(rows: list[_Row], product: Product, standalone: Variant | None, context: Context) -> None:
    held = {context.store.variant_title(variant) for variant in product.variant_list if variant is not standalone}
    for row in rows:
        if row.errors:
            continue
        title = " / ".join(name for _, name in row.named)
        if title in held:
            row.errors.append(user_error(row.path, f"The variant '{title}' already exists. Please change at least one "
                                         "option value.", "VARIANT_ALREADY_EXISTS_CHANGE_OPTION_VALUE"))
        held.add(title)


def _standalone(product: Product, strategy: str, context: Context) -> Variant | None:
    """The lone variant that the new ones replace (facts §5)."""
    if len(product.variant_list) != 1 or strategy == "PRESERVE_STANDALONE_VARIANT":
        return None
    only = product.variant_list[0]
    return only if strategy == "REMOVE_STANDALONE_VARIANT" or context.store.is_default_variant(only) else None


def _write_row(variant: Variant, given: dict[str, Any], chosen: dict[int, int | str], context: Context) -> None:
    store = context.store
    before = dict(variant.chosen)
    for option in variant.product.option_list:
        value = chosen.get(option.id)
        if value is not None:
            variant.chosen[option.id] = value if isinstance(value, int) else store.option_value(option, value).id
    if variant.chosen != before:
        forget_unused_values(variant.product, variant, before)
    write_variant(variant, given, context)
    for change in given.get("quantityAdjustments") or ():
        location = wanted(context, change["locationId"], "Location")
        store.change_quantity(store.stock_at(variant.inventory_item, location), "available",
                              change.get("adjustment") or 0)
    store.touch(variant, variant.inventory_item, variant.product)


def write_variant(variant: Variant, given: dict[str, Any], context: Context) -> None:
    """Write the checked plain fields of a variant; what is left out stays."""
    switch = context.store.behaviour
    price = amount(given.get("price"))
    if price is not None:
        variant.price = price
    if "compareAtPrice" in given:
        variant.compare_at_price = amount(given["compareAtPrice"])
    if "barcode" in given:
        variant.barcode = empty_as(given["barcode"], switch.empty_text_becomes_null)
    for name, attribute in (("inventoryPolicy", "inventory_policy"), ("taxable", "taxable"), ("taxCode", "tax_code"),
                            ("showUnitPrice", "show_unit_price"), ("requiresComponents", "requires_components"),
                            ("unitPriceMeasurement", "unit_price_measurement")):
        if given.get(name) is not None:
            setattr(variant, attribute, given[name])
    write_item(variant.inventory_item, given.get("inventoryItem") or {},
               empty_becomes_null=switch.empty_text_becomes_null)
    metafields.write_inputs(variant.gid, given.get("metafields"), context)


def forget_unused_values(product: Product, variant: Variant, chosen: dict[int, int] | None = None) -> None:
    """Drop the option values that this variant was the last to have."""
    for option in product.option_list:
        value_id = (chosen or variant.chosen).get(option.id)
        if not any(each.chosen.get(option.id) == value_id for each in product.variant_list):
            option.option_values = [value for value in option.option_values if value.id != value_id]


def _sorted(rows: list[_Row]) -> UserErrors:
    """By field path, then code: not by row."""
    def place(error: dict[str, Any]) -> tuple[list[Any], str]:
        return ([(0, int(part), "") if part.isdigit() else (1, 0, part) for part in error["field"]],
                error["code"] or "")
    return sorted((error for row in rows for error in row.errors), key=place)
