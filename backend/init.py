"""`--init`: a `sync.yaml` to start from, made from what the store allows and what the document has."""

from __future__ import annotations

from pathlib import Path

from backend.app import Context, shop_facts
from backend.config import default_config, mapping_of
from backend.config_text import one_mapping
from backend.errors import ConfigError
from backend.grist.suggest import suggest
from backend.settings import Settings
from backend.shopify.client import store_domain
from backend.store.links import Link

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
        text += one_mapping(one, context.resources[one["resource"]], allowed.paused.get(one["resource"]))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}.", cure="Name another file with --config."
        ) from error
