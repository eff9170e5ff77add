"""The options of a product and the values that a new variant chooses of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backend.core.model import Create, Mapping, Op


def chosen_options(mapping: Mapping, op: Op) -> list[str]:
    """The option values of a new variant, in order, "" where a cell is empty."""
    values = op.values if isinstance(op, Create) else {}
    by_place = {rule.field.on_create: values.get(rule.name) for rule in mapping.fields}
    return [str(by_place.get(f"optionValues.{place}") or "") for place in range(3)]


def option_problem(options: Sequence[str], chosen: Sequence[str]) -> tuple[str, str, str] | None:
    """(field, message, cure) where the option values do not fit the product's options."""
    if tuple(options) == ("Title",) and not any(chosen):
        return "option1", "the product has its single variant already", \
            "Use the row of that variant, or fill in an option value to make another one."
    for place, value in enumerate(chosen):
        name = f"option{place + 1}"
        if place < len(options) and not value:
            return name, f"the product has the option {options[place]!r}, and no value is given for it", \
                f"Fill in a value for {options[place]!r}."
        if place >= len(options) and value:
            return name, f"the product has only {len(options)} option(s): {', '.join(options)}", \
                "Empty the cell, or add the option to the product in Shopify first."
    return None
