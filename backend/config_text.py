"""Mappings written as `sync.yaml`, with words that explain them: by `--init`, and to take along from the widget.

What is written here, `config.parse` reads back as the same settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import Any

from backend.core.mapping import rule_for
from backend.core.model import Resource

NOT_TEXT = ("null", "true", "false", "yes", "no", "on", "off")
HEAD = """# Written by Shopify–Grist Sync from the mapping of this document. sync.example.yaml explains every key.
#
#   field: Column          both ways where Shopify takes the field, else only to Grist; asks where both sides changed
#   direction:             both, to_grist, to_shopify
#   on_conflict:           ask, shopify, grist, merge, higher, lower
#   create, delete:        what becomes of a row that is new, or gone, on the other side

store: {store}
document: {document}

mappings:
"""


def as_text(store: str, document: str, mappings: Iterable[Dict[str, Any]], resources: Dict[str, Resource]) -> str:
    """A whole file. `document` is its address."""
    head = HEAD.format(store=_word(store), document=_word(document))
    return head + "".join(one_mapping(one, resources[one["resource"]]) for one in mappings)


def one_mapping(settings: Dict[str, Any], resource: Resource, paused: str | None = None) -> str:
    """One mapping; commented out where `paused` says why it cannot run."""
    lines = [f"- resource: {settings['resource']}", f"  table: {_word(settings['table'])}"]
    if settings["match"] or resource.match:
        lines.append(f"  match: [{', '.join(settings['match'])}]")
    for name in ("filter", "only_where"):
        if settings[name]:
            lines.append(f"  {name}: {_word(settings[name])}")
    create, delete = settings["create"], settings["delete"]
    lines += [
        f"  create: {{in_grist: {str(create['in_grist']).lower()}, in_shopify: {str(create['in_shopify']).lower()}}}",
        f"  delete: {{in_grist: {delete['in_grist']}, in_shopify: {delete['in_shopify']}}}",
        "  fields:",
    ]
    for name, rule in settings["fields"].items():
        described = resource.field(name)
        column = _word(rule["column"])
        natural = rule_for(described, rule["column"]) if described else None
        if natural and (natural.direction.value, natural.on_conflict.value) == (rule["direction"], rule["on_conflict"]):
            lines.append(f"    {_word(name)}: {column}")
        else:
            lines.append(f"    {_word(name)}: {{column: {column}, direction: {rule['direction']}, "
                         f"on_conflict: {rule['on_conflict']}}}")
    if paused:
        lines = [f"# {paused}", *(f"# {line}" for line in lines)]
    return "".join(f"  {line}\n" for line in lines) + "\n"


def _word(text: str) -> str:
    """`text` as YAML takes for that text: in quotes where it would be read as a number, as nothing or as yes."""
    plain = re.fullmatch(r"[A-Za-z_][\w./]*(:(?=//)[\w./:~-]*)?", text) and text.lower() not in NOT_TEXT
    return text if plain else json.dumps(text, ensure_ascii=False)
