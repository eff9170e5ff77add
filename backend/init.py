"""`--init`: a `sync.yaml` to start from, made from what the store allows and what the document has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Any

from backend.app import Context, shop_facts
from backend.config import default_config, mapping_of
from backend.core.mapping import rule_for
from backend.core.model import Resource
from backend.errors import ConfigError
from backend.grist.suggest import suggest
from backend.settings import Settings
from backend.shopify.client import store_domain
from backend.store.links import Link

NOT_TEXT = ("null", "true", "false", "yes", "no", "on", "off")
HEAD = """# Written by --init from what the store and the document have. sync.example.yaml explains every key.
# See what it would do before it does it: python shopify_grist_sync.py --dry-run

store: {store}
document: {document}

mappings:
"""


def write_config(settings: Settings, target: Path) -> None:
    """Write `target`. Raises ConfigError where it exists or cannot be written, and what the connectors raise where
    they cannot look. The database is not touched."""
    if target.exists():
        raise ConfigError(f"{target} exists already.", cure="Name another file with --config, or move it away.")
    if not settings.shopify_store:
        raise ConfigError("No Shopify store is named.", cure="Set SHOPIFY_STORE.")
    context = Context.untouched(settings)
    store = store_domain(settings.shopify_store)
    remote = context.shopify(store)
    facts = shop_facts(remote.shop)
    # Only now: where no document is named this makes one, and a store that cannot be asked should come before.
    server, document = context.document(None)
    local = context.grist(Link(0, store, server, document, {}, None, None), facts)
    tables = local.tables()
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for resource in context.resources.values():
        if resource.table in tables:
            targets = {name: table for name, (table, _) in found.items()}
            found[resource.name] = (resource.table, suggest(local.columns(resource.table), resource, targets))
    suggested = default_config(context.resources, found)
    allowed = remote.prepare([mapping_of(one, context.resources) for one in suggested], {}, write=False)
    text = HEAD.format(store=store, document=f"{server}/doc/{document}")
    for one in suggested:
        text += _as_yaml(one, context.resources[one["resource"]], allowed.paused.get(one["resource"]))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}.", cure="Name another file with --config."
        ) from error


def _as_yaml(settings: Dict[str, Any], resource: Resource, paused: str | None) -> str:
    """One mapping; commented out where the app may not read it."""
    lines = [f"- resource: {settings['resource']}", f"  table: {_word(settings['table'])}"]
    if settings["match"]:
        lines.append(f"  match: [{', '.join(settings['match'])}]")
    create, delete = settings["create"], settings["delete"]
    lines += [
        f"  create: {{in_grist: {str(create['in_grist']).lower()}, in_shopify: {str(create['in_shopify']).lower()}}}",
        f"  delete: {{in_grist: {delete['in_grist']}, in_shopify: {delete['in_shopify']}}}",
        "  fields:",
    ]
    for name, rule in settings["fields"].items():
        described = resource.field(name)
        assert described is not None
        natural, column = rule_for(described, rule["column"]), _word(rule["column"])
        if (natural.direction.value, natural.on_conflict.value) == (rule["direction"], rule["on_conflict"]):
            lines.append(f"    {name}: {column}")
        else:
            lines.append(f"    {name}: {{column: {column}, direction: {rule['direction']}, "
                         f"on_conflict: {rule['on_conflict']}}}")
    if paused:
        lines = [f"# {paused}", *(f"# {line}" for line in lines)]
    return "".join(f"  {line}\n" for line in lines) + "\n"


def _word(text: str) -> str:
    """`text` as YAML takes for that text: in quotes where it would be read as a number, as nothing or as yes."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", text) and text.lower() not in NOT_TEXT
    return text if plain else json.dumps(text, ensure_ascii=False)
