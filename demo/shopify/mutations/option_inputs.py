"""Checks of options as productCreate, productOptionsCreate and productSet take them."""
from __future__ import annotations

from typing import Any

from ..errors import user_error
from ..model import Product
from .base import UserErrors

MOST_OPTIONS = 3


def create_errors(options: list[dict[str, Any]] | None, path: list[str],
                  product: Product | None = None) -> UserErrors:
    """What is wrong with a list of OptionCreateInput, at most one error an option."""
    errors: UserErrors = []
    seen = {option.name.lower() for option in product.option_list} if product else set()
    for index, option in enumerate(options or []):
        here = [*path, str(index)]
        name = (option.get("name") or "").strip()
        values = [(value.get("name") or "").strip() for value in option.get("values") or []]
        if not name:
            errors.append(user_error([*here, "name"], "Option name is missing.", "OPTION_NAME_MISSING"))
        elif len(name) > 255:
            errors.append(user_error([*here, "name"], "Option name is too long.", "OPTION_NAME_TOO_LONG"))
        elif name.lower() in seen:
            code = "OPTION_ALREADY_EXISTS" if product else "DUPLICATED_OPTION_NAME"
            errors.append(user_error([*here, "name"] if product is None else here,
                                     f"Option '{name}' already exists." if product
                                     else f"Duplicated option name '{name}'.", code))
        elif not values:
            errors.append(user_error([*here, "values"], f"Option values for '{name}' are missing.",
                                     "OPTION_VALUES_MISSING"))
        elif len({value.lower() for value in values}) < len(values):
            errors.append(user_error([*here, "values"], "Duplicated option value.", "DUPLICATED_OPTION_VALUE"))
        elif any(len(value) > 255 for value in values):
            errors.append(user_error([*here, "values"], "Option value name is too long.",
                                     "OPTION_VALUE_NAME_TOO_LONG"))
        seen.add(name.lower())
    held = 0 if product is None or _only_title(product) else len(product.option_list)
    if held + len(options or []) > MOST_OPTIONS:
        errors.append(user_error(path, f"Can only specify a maximum of {MOST_OPTIONS} options", "OPTIONS_OVER_LIMIT"))
    return errors


def _only_title(product: Product) -> bool:
    return [(option.name, [value.name for value in option.option_values]) for option in product.option_list] == [
        ("Title", ["Default Title"])]
