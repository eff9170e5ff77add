"""A dry run: what a sync would do now, without a trace anywhere. Not even the link or the mappings that sync.yaml
describes are remembered; whoever looks at the database afterwards finds it as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from backend import engine
from backend.app import Context, shop_facts
from backend.config import Config, mapping_of, narrowed
from backend.connector import Usage
from backend.core.mapping import in_order
from backend.core.model import Mapping
from backend.errors import Cancelled, ConfigError, SyncError
from backend.jobs.perform import Outcome
from backend.report import Report
from backend.session import Session
from backend.shopify.client import store_domain
from backend.store import links
from backend.store.links import Link, StoredMapping


def rehearse(
    context: Context,
    config: Config | None,
    fields: Sequence[str] = (),
    *,
    everything: bool = False,
    stop: threading.Event | None = None,
    watch: Callable[[dict[str, Any]], None] = lambda progress: None,
) -> Outcome:
    """What a sync of the configured link would do now, as the report of a preview.

    Raises UserError for settings that cannot be meant; what goes wrong later is in the outcome.
    """

    def beat(progress: dict[str, Any]) -> None:
        watch(progress)
        if stop is not None and stop.is_set():
            raise Cancelled("The dry run was stopped.", cure="Nothing was written.")

    link, stored = _remembered(context, config)
    mappings = _mappings(context, config, stored, fields)
    remote = context.shopify(link.store)
    report, local = Report(), None
    try:
        local = context.grist(link, link.shop or shop_facts(remote.shop))
        return Outcome(engine.preview(Session(
            database=context.database,
            link_id=link.id,
            run_id=0,
            mappings=mappings,
            local=local,
            remote=remote,
            bindings={one.resource: one.binding for one in stored if one.binding},
            limits=context.limits,
            everything=everything,
            rest_seconds=context.rest_seconds,
            beat=beat,
        )))
    except SyncError as error:
        report.state = "cancelled" if isinstance(error, Cancelled) else "failed"
        report.message, report.cure = error.message, error.cure or None
        report.used(local.usage if local else Usage(), remote.usage)
        return Outcome(report, error)


def _mappings(
    context: Context, config: Config | None, stored: Sequence[StoredMapping], fields: Sequence[str]
) -> list[Mapping]:
    """The mappings as sync.yaml has them, else as they are remembered; narrowed to `fields`."""
    if config is not None and config.mappings:
        settings = config.mappings
    else:
        settings = [one.settings for one in stored if not one.settings.get("off")]
    if not settings:
        raise ConfigError(
            "There is no sync.yaml, so it is not known which tables to sync.",
            cure="Write one with --init, look it over, and sync again.",
        )
    ids = {one.resource: one.id for one in stored}
    mappings = [mapping_of(one, context.resources, ids.get(one["resource"], 0)) for one in settings]
    return narrowed(in_order(mappings, list(context.resources)), fields)


def _remembered(context: Context, config: Config | None) -> tuple[Link, list[StoredMapping]]:
    """The link that settings and configuration describe, with what is stored of its mappings; where it is new, as it
    would be."""
    store = (config.store if config else "") or context.settings.shopify_store
    if not store:
        raise ConfigError("No Shopify store is named.", cure="Set SHOPIFY_STORE, or store: in sync.yaml.")
    store = store_domain(store)
    if not ((config.document if config else "") or context.settings.grist_document):
        raise ConfigError(
            "No Grist document is named, and a dry run makes none.", cure="Set GRIST_DOC_ID, or document: in sync.yaml."
        )
    server, document = context.document(config)
    with context.database.read() as tx:
        link = links.of_document(tx, server, document)
        if link is None:
            return Link(0, store, server, document, {}, None, None), []
        if link.store != store:
            raise ConfigError(
                f"This document is connected to {link.store} already, and a document has one store.",
                cure=f"Use another document for {store}, or point SHOPIFY_STORE back to {link.store}.",
            )
        return link, links.mappings(tx, link.id)
