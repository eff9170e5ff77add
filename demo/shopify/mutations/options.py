"""productOptionsCreate, productOptionUpdate and productOptionsDelete."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import user_error
from ..model import Option, Product
from .base import UserErrors, mutation, wanted
from .option_inputs import create_errors
from .variants import forget_unused_values

_GONE = "Product does not exist"


@mutation("productOptionsCreate")
def options_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    given = arguments["options"]
    errors = create_errors(given, ["options"], product)
    if errors:
        return {"product": product, "userErrors": errors}
    store = context.store
    if len(product.variant_list) == 1 and store.is_default_variant(product.variant_list[0]):
        product.option_list.clear()
        product.variant_list[0].chosen.clear()
    for row in given:
        option = store.add_option(product, row["name"], [value["name"] for value in row["values"]],
                                  position=row.get("position"))
        for variant in product.variant_list:
            variant.chosen[option.id] = option.option_values[0].id
    if arguments.get("variantStrategy") == "CREATE":
        _create_combinations(product, context)
    store.touch(product, *product.variant_list)
    return {"product": product, "userErrors": []}


def _create_combinations(product: Product, context: Context) -> None:
    """A variant for every combination of values that has none yet."""
    held = {tuple(variant.chosen.get(option.id) for option in product.option_list) for variant in product.variant_list}
    combinations: list[tuple[int, ...]] = [()]
    for option in product.option_list:
        combinations = [(*before, value.id) for before in combinations for value in option.option_values]
    for values in combinations:
        if values not in held:
            chosen = {option.id: value for option, value in zip(product.option_list, values, strict=True)}
            like = product.variant_list[0]
            variant = context.store.add_variant(product, chosen)
            variant.price, variant.compare_at_price = like.price, like.compare_at_price


@mutation("productOptionUpdate")
def option_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    given = arguments["option"]
    option = next((each for each in product.option_list if each.gid == given["id"]), None)
    if option is None:
        return {"product": product, "userErrors": [user_error(["option"], "Option does not exist",
                                                              "OPTION_DOES_NOT_EXIST")]}
    errors = _update_errors(product, option, arguments)
    if errors:
        return {"product": product, "userErrors": errors}
    if given.get("name"):
        option.name = given["name"]
    for row in arguments.get("optionValuesToUpdate") or ():
        value = next(each for each in option.option_values if each.gid == row["id"])
        value.name = row.get("name") or value.name
    gone = set(arguments.get("optionValuesToDelete") or ())
    gone_ids = {value.id for value in option.option_values if value.gid in gone}
    option.option_values = [value for value in option.option_values if value.gid not in gone]
    for variant in [each for each in product.variant_list if each.chosen.get(option.id) in gone_ids]:
        store.remove_variant(variant)
    for row in arguments.get("optionValuesToAdd") or ():
        store.option_value(option, row["name"])
    if given.get("position"):
        product.option_list.remove(option)
        product.option_list.insert(max(0, given["position"] - 1), option)
    if arguments.get("variantStrategy") == "MANAGE":
        _create_combinations(product, context)
    store.touch(product, *product.variant_list)
    return {"product": product, "userErrors": []}


def _update_errors(product: Product, option: Option, arguments: dict[str, Any]) -> UserErrors:
    errors: UserErrors = []
    name = arguments["option"].get("name")
    if name is not None and any(each is not option and each.name.lower() == name.lower()
                                for each in product.option_list):
        errors.append(user_error(["option", "name"], f"Option '{name}' already exists.", "OPTION_ALREADY_EXISTS"))
    ids = {value.gid for value in option.option_values}
    for list_name in ("optionValuesToUpdate", "optionValuesToDelete"):
        for index, row in enumerate(arguments.get(list_name) or ()):
            if (row["id"] if isinstance(row, dict) else row) not in ids:
                errors.append(user_error([list_name, str(index)], "Option value does not exist",
                                         "OPTION_VALUE_DOES_NOT_EXIST"))
    gone = set(arguments.get("optionValuesToDelete") or ())
    names = {value.name.lower() for value in option.option_values if value.gid not in gone}
    for index, row in enumerate(arguments.get("optionValuesToAdd") or ()):
        if (row.get("name") or "").lower() in names:
            errors.append(user_error(["optionValuesToAdd", str(index), "name"],
                                     f"Option value '{row['name']}' already exists.", "OPTION_VALUE_ALREADY_EXISTS"))
    return errors


@mutation("productOptionsDelete")
def options_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "deletedOptionsIds": [], "userErrors": [
            user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    known = {option.gid: option for option in product.option_list}
    errors = [user_error(["options", str(index)], "Option does not exist", "OPTION_DOES_NOT_EXIST")
              for index, text in enumerate(arguments["options"]) if text not in known]
    strategy = arguments.get("strategy") or "DEFAULT"
    for index, text in enumerate(arguments["options"]):
        option = known.get(text)
        if option is not None and strategy == "DEFAULT" and len(option.option_values) > 1:
            errors.append(user_error(["options", str(index)], f"Cannot delete option '{option.name}' because it has "
                                     "multiple option values. Remove all but one option value, then delete the "
                                     "option.", "CANNOT_DELETE_OPTION_WITH_MULTIPLE_VALUES"))
    if errors:
        return {"product": product, "deletedOptionsIds": [], "userErrors": errors}
    for text in arguments["options"]:
        product.option_list.remove(known[text])
    seen: set[tuple[int | None, ...]] = set()
    for variant in list(product.variant_list):
        values = tuple(variant.chosen.get(option.id) for option in product.option_list)
        if values in seen:
            store.remove_variant(variant)
            forget_unused_values(product, variant)
        seen.add(values)
    if not product.option_list:
        option = store.add_option(product, "Title", ["Default Title"])
        product.variant_list[0].chosen = {option.id: option.option_values[0].id}
    store.touch(product, *product.variant_list)
    return {"product": product, "deletedOptionsIds": list(arguments["options"]), "userErrors": []}
