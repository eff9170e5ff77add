"""The same read in bulk: a list document in the form that bulk queries want, and its lines put together again. Pure.

    products(first: 250, after: …, query: $query) {           products(query: "tag:new") { edges { node {
      nodes { id title                                  →       __typename id title
        collections(first: 10) { nodes { handle } … }           collections { edges { node { __typename id handle } } }
      } pageInfo { … } }                                      } } }

    {"__typename": "Product", "id": "…/1", "title": "Shirt"}
    {"__typename": "Collection", "id": "…/7", "handle": "new", "__parentId": "…/1"}

Things and what hangs below them are lines of their own, in any order (facts §4). Put together they look like a thing of
a page, with all of each list.

Not every document can: what hangs below must be directly below a thing of the list, at most four lists of it, each of
another type, for a line does not say in which list it stood. Those are read page by page.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    FieldNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    parse,
    print_ast,
)

from backend.shopify.bulk import Lines
from backend.shopify.paths import node_type

MOST_LISTS = 4
"""Below one root; Shopify takes five connections in all."""


PARENT = b'"__parentId"'
"""Stands in each line of what hangs below another thing."""

PAGING = ("first", "after", "last", "before")


class NotInBulk(ValueError):
    """This document has no bulk form; the message says why."""


@dataclass(frozen=True)
class Form:
    """A bulk query, and how its lines belong together."""

    query: str
    lists: dict[str, str]
    """By type of a line: the name of the list that it stood in."""


def bulk_form(document: str, query: str, kind_of_thing: str) -> Form:
    """The bulk form of a list document (`documents.list_document`) of things of this type, filtered by `query`.

    Raises NotInBulk."""
    operation = parse(document).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    [root] = operation.selection_set.selections
    assert isinstance(root, FieldNode)
    node = _nodes_of(root)
    assert node is not None, "a list document lists nodes"
    assert node.selection_set is not None
    lists: dict[str, str] = {}
    selected: list[Any] = []
    for below in node.selection_set.selections:
        inner = _nodes_of(below) if isinstance(below, FieldNode) else None
        if inner is None or not isinstance(below, FieldNode):
            _no_list_in(below)
            selected.append(below)
            continue
        _no_list_in(inner)
        name = below.alias.value if below.alias else below.name.value
        kind = node_type(kind_of_thing, below.name.value)
        if not kind or kind in lists:
            raise NotInBulk(f"Nobody can tell which lines are of the list {name}.")
        lists[kind] = name
        selected.append(_with_edges(below, inner.selection_set, ("__typename",)))
    if len(lists) > MOST_LISTS:
        raise NotInBulk(f"It has {len(lists)} lists below each thing, and Shopify takes {MOST_LISTS}.")
    # What has lists below it must show its id, or nobody could find it.
    whole = _with_edges(root, SelectionSetNode(selections=tuple(selected)), ("__typename", "id"))
    kept = tuple(one for one in whole.arguments or () if one.name.value != "query")
    filtered = _arguments(f"query: {print_ast(StringValueNode(value=query))}") if query else ()
    return Form(f"{{ {print_ast(replace(whole, arguments=(*kept, *filtered)))} }}", lists)


def lines_of_things(lines: Lines, form: Form) -> Iterator[tuple[bytes, ...]]:
    """The lines of each thing: its own, and those of what hangs below it.

    Keeps in memory only where the lines of each thing begin."""
    if not form.lists:
        for line in lines.texts():
            if PARENT not in line:
                yield (line,)
        return
    below: dict[str, array[int]] = {}
    for place, line in lines.placed():
        if PARENT in line:
            parent = lines.parsed(line).get("__parentId")
            if isinstance(parent, str):
                below.setdefault(parent, array("q")).append(place)
    for place in array("q", (place for place, line in lines.placed() if PARENT not in line)):
        line = lines.at(place)
        yield line, *(lines.at(child) for child in below.get(str(lines.parsed(line)["id"]), ()))


def put_together(told: tuple[bytes, ...], form: Form) -> dict[str, Any]:
    """The thing that these lines tell of, as a page would show it."""
    thing = Lines.parsed(told[0])
    for name in form.lists.values():
        thing[name] = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    for line in told[1:]:
        child = Lines.parsed(line)
        child.pop("__parentId")
        kind = str(child.get("__typename"))
        # A list of an interface holds things of other types; alone it holds whatever came.
        name = form.lists.get(kind) or (next(iter(form.lists.values())) if len(form.lists) == 1 else "")
        if name:
            thing[name]["nodes"].append(child)
    return thing


def _nodes_of(field: FieldNode) -> FieldNode | None:
    """The field `nodes` of a connection; None where it is none."""
    return next((one for one in (field.selection_set.selections if field.selection_set else ())
                 if isinstance(one, FieldNode) and one.name.value == "nodes"), None)


def _no_list_in(part: Any) -> None:
    """Raises NotInBulk where a connection stands anywhere in it: its lines would belong to nobody that we know."""
    for one in part.selection_set.selections if getattr(part, "selection_set", None) else ():
        if isinstance(one, FieldNode) and _nodes_of(one) is not None:
            raise NotInBulk(f"The list {one.name.value} hangs too deep.")
        _no_list_in(one)


def _with_edges(connection: FieldNode, inside: SelectionSetNode | None, also: tuple[str, ...]) -> FieldNode:
    """`(first: …) { nodes { … } pageInfo … }` as `{ edges { node { __typename … } } }`."""
    assert inside is not None
    named = {one.name.value for one in inside.selections if isinstance(one, FieldNode) and one.alias is None}
    more = [FieldNode(name=NameNode(value=name)) for name in also if name not in named]
    node = FieldNode(name=NameNode(value="node"),
                     selection_set=SelectionSetNode(selections=(*more, *inside.selections)))
    edges = FieldNode(name=NameNode(value="edges"), selection_set=SelectionSetNode(selections=(node,)))
    kept = tuple(one for one in connection.arguments or () if one.name.value not in PAGING)
    return replace(connection, arguments=kept, selection_set=SelectionSetNode(selections=(edges,)))


def _arguments(text: str) -> Any:
    """The parsed arguments of `f(text)`."""
    operation = parse(f"{{ f({text}) }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    [field] = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return field.arguments
