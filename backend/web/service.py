"""What the views work with: the product's context, the gate, and the worker that is woken when a run was queued."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app, g

from backend.app import Context
from backend.config import Config
from backend.errors import UserError
from backend.grist.access import owner_names
from backend.store import runs
from backend.store.db import Database
from backend.store.links import Link
from backend.web.access import Gate, Visitor, ask_grist, ends_at, patience
from backend.web.copies import Copies
from backend.web.errors import Refused
from backend.web.limits import Limiter
from backend.web.owners import Owners
from backend.web.sight import Reads, Sight, read_grist, write_grist
from backend.web.values import Tables

log = logging.getLogger(__name__)

EXTENSION = "shopify-grist-sync"


@dataclass
class Service:
    """One running backend. `server_url` is the Grist server that is asked about people; `trouble` says why the
    configuration gives no link, where it gives none."""

    context: Context
    server_url: str
    gate: Gate
    reads: Reads
    hand_of: Callable[[str, str], Any]
    """Writes into a document with a person's token: `(document, token)` → own_hand.Hand."""
    copies: Copies
    owners: Owners
    limiter: Limiter = field(default_factory=Limiter)
    configured: bool = False
    fixed_link: int | None = None
    """The link whose mappings come from a file: that file wins, so they are changed nowhere else."""
    trouble: UserError | None = None
    poke: Callable[[], None] = lambda: None

    @property
    def database(self) -> Database:
        return self.context.database

    def start(self, link: Link, kind: str, by: str, wanted: dict[str, Any] | None = None) -> int:
        """Queue a run and wake the worker; the id of the run that was queued, or is already.

        `wanted` as jobs.perform reads it. Raises Refused (409) for a preview while a sync is queued or running: what
        it showed would be old before it was read; and where another preview waits that shows something else.
        """
        self.leave_access(link)
        run_id = self._request(link, kind, by, wanted or {})
        self.poke()
        return run_id

    def leave_access(self, link: Link) -> None:
        """Let the runs of a link work with the visitor's own access to the document, where it has no key of its own.
        Called where a run is asked for, and at each look at one that goes on: so a page that is open keeps it going."""
        who = visitor()
        if who.may("editor") and who.token and self.context.leave_access(
                link, who.token, ends_at(who.token), who.by("widget")):
            self.poke()

    def original(self, who: Visitor) -> Link | None:
        """The link whose document this one is a copy of: its tables hold the rows and Shopify ids of that one. Asks
        Grist with the visitor's token, once a minute."""
        if who.link is not None or who.former is not None or not who.token:
            return None
        return self.copies.original(who.document, who.token)

    def _request(self, link: Link, kind: str, by: str, wanted: dict[str, Any]) -> int:
        with self.database.write() as tx:
            active = runs.active(tx, link.id)
            runs.cancel_aside(tx, link.id)
            if kind in runs.ASIDE and active is not None and active.state == "queued":
                raise _busy()
            if kind == "preview" and active is not None and active.kind in ("sync", "action"):
                raise _busy()
            if wanted.get("plan") and active is not None:
                raise _busy()  # what was previewed would be old before it ran
            run_id = runs.request(tx, link.id, kind, by, wanted)
            found = runs.get(tx, run_id)
            if kind != "sync" and found is not None and (found.kind, found.wanted) != (kind, wanted):
                raise _busy()
        return run_id


def open_service(context: Context, config: Config | None) -> Service:
    """Make the link that the configuration describes, where it describes one. A configuration that does not fit is
    told to whoever looks: in the log, on the first page and in the widget."""
    settings = context.settings
    server_url, configured, trouble = settings.grist_server_url, False, None
    fixed: int | None = None
    # A workspace alone names no document here: a new one at every start is what nobody wants.
    document = (config.document if config else "") or settings.grist_document
    if document and ((config.store if config else "") or settings.shopify_store):
        try:
            link = context.ensure_link(config)
            server_url, configured = link.server_url, True
            fixed = link.id if config is not None and config.mappings else None
        except UserError as error:
            log.error("no link could be made from the configuration: %s", error)
            trouble = error
    return Service(context, server_url, Gate(ask_grist(server_url)), Reads(read_grist(server_url)),
                   write_grist(server_url), Copies(context.database, server_url), Owners(_ask_owners(context)),
                   configured=configured, fixed_link=fixed, trouble=trouble)


def _ask_owners(context: Context) -> Callable[[Link], tuple[str, ...]]:
    def ask(link: Link) -> tuple[str, ...]:
        key = context.grist_key(link)
        return owner_names(link.server_url, link.document, key, sleep=patience()) if key else ()

    return ask


def _busy() -> Refused:
    return Refused(409, "busy", "Another sync or preview is under way, so nothing can be previewed now.",
                   "Look again when it has ended.")


def service() -> Service:
    return cast(Service, current_app.extensions[EXTENSION])


def visitor() -> Visitor:
    """Who sent the request being answered."""
    return cast(Visitor, g.visitor)


def sight(known: Tables) -> Sight:
    """What the visitor may be told of these tables. Asks Grist: never with a transaction of ours open that writes."""
    who, reads = visitor(), service().reads
    names = [known.head(mapping_id)["table"] for mapping_id in known.ids]
    # A key of ours was made by an owner, for the whole document.
    if who.role == "owner" or who.key or not names or reads.sees_everything(who.document, who.token, names[0]):
        return Sight(known, None)
    return Sight(known, lambda table: reads.table(who.document, who.token, table))


def link() -> Link:
    """The link that the request being answered is about. The gate has checked that it is the visitor's."""
    found = visitor().link
    assert found is not None
    return found
