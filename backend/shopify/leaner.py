"""A document without one field of it. Pure.

A field that can never be null takes everything with it when it may not be seen: one customer's name is refused, and the
whole answer is empty. Then the same is asked again without that field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

NEVER = ("id", "nodes", "pageInfo")


def without(document: str, path: Sequence[str | int]) -> str | None:
    """`document` less the field at `path` of its answer; None where there is none that could be left out."""
    names = [step for step in path if isinstance(step, str)]
    if len(names) < 2 or names[-1] in NEVER:
        return None
    tree = parse(document)
    changed: list[Any] = []
    for part in tree.definitions:
        if isinstance(part, OperationDefinitionNode | FragmentDefinitionNode):
            less = _less(part.selection_set, names)
            if less is None:
                return None
            changed.append(replace(part, selection_set=less))
        else:
            changed.append(part)
    leaner = print_ast(replace(tree, definitions=tuple(changed)))
    return leaner if leaner != print_ast(tree) else None


def _less(selected: SelectionSetNode | None, names: Sequence[str]) -> SelectionSetNode | None:
    """What is selected without the field at these names; None where nothing is left."""
    if selected is None:
        return None
    kept: list[Any] = []
    for part in selected.selections:
        if isinstance(part, InlineFragmentNode):  # it stands at the same place as what is around it
            inside = _less(part.selection_set, names)
            if inside is not None:
                kept.append(replace(part, selection_set=inside))
        elif not isinstance(part, FieldNode) or (part.alias or part.name).value != names[0]:
            kept.append(part)
        elif len(names) > 1:
            inside = _less(part.selection_set, names[1:])
            if inside is not None:
                kept.append(replace(part, selection_set=inside))
    return replace(selected, selections=tuple(kept)) if kept else None
