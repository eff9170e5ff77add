"""The Shopify side of a link: rights, snapshots and writes of one store, on the Admin GraphQL API.

    prepare  → shop and scopes in one request; what is missing pauses a mapping, or has its writes refused
    read     → `reading`
    batches, apply, repeat → `writing`; much at once: `filing`
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from backend.connector import Changed, Prepared, Usage
from backend.core.model import (
    Direction,
    Key,
    Mapping,
    Policy,
    Resource,
    Side,
    Snapshot,
)
from backend.errors import AccessError
from backend.looks import Looks
from backend.shopify import changes, documents, looking
from backend.shopify.actions import Actor
from backend.shopify.answers import Answer
from backend.shopify.auth import Credentials
from backend.shopify.bulk import Bulk
from backend.shopify.client import Client, store_domain
from backend.shopify.creating import Keys
from backend.shopify.filing import Filing
from backend.shopify.governor import Ledger
from backend.shopify.known import Known
from backend.shopify.metafields import described
from backend.shopify.names import Names
from backend.shopify.reading import Reader, read_definitions
from backend.shopify.resource import METAFIELD, shape
from backend.shopify.shop import Shop, lacking, scopes_from, shop_from
from backend.usual import FILES_AFTER_SECONDS, Audits

log = logging.getLogger(__name__)

VERSION = "2026-10"

class ShopifyConnector(Filing):
    """One store, read and written with one identity. Not shared between threads.

    `store` is `something.myshopify.com` or what people paste for it. `admin_url` is another origin that answers in
    the store's place (a stand-in). `audits` say how often what no filter finds is read whole. `ledger` is shared by
    all who use the store with these credentials. Changes whose points take longer than `files_after_seconds` to come
    back go as files (0: never). `new_key` makes an idempotency key. Raises UserError for a store's address that is
    none.
    """

    side = Side.REMOTE

    def __init__(
        self,
        store: str,
        credentials: Credentials,
        *,
        version: str = VERSION,
        admin_url: str | None = None,
        audits: Audits | None = None,
        ledger: Ledger | None = None,
        files_after_seconds: float = FILES_AFTER_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        new_key: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.store = store_domain(store)
        self.usage = Usage()
        self.notes: list[str] = []
        self._shop: Shop | None = None
        self._known = Known()
        self._unwritable: dict[str, AccessError] = {}
        """By resource: why nothing of it can be written."""
        self._definitions: dict[str, dict[str, dict[str, Any]]] = {}
        """By owner of metafields: the store's definitions, by field name."""
        self._scopes: frozenset[str] | None = None
        """What the token may do, as far as Shopify told."""
        self._audits = audits or Audits()
        self._about: Answer | None = None
        """What `changed` has just asked about shop and scopes, for `prepare` right after it."""
        self._sleep = sleep
        self._new_key = new_key
        self._client = Client((admin_url or f"https://{self.store}").rstrip("/"), version, credentials, self.usage,
                              ledger=ledger, sleep=sleep)
        self._bulk = Bulk(self._client, sleep=sleep)
        self._files_after_seconds = files_after_seconds
        self._going_on: Callable[[int], None] = lambda done: None
        self._begin_filing()
        self._keys = Keys(self._client, self.notes)
        self._names = Names(self._client)
        self._barred: dict[str, dict[str, AccessError]] = {}
        """By resource and field: why it cannot be written, where the rest of a thing can."""

    @property
    def shop(self) -> Shop:
        """Asked of Shopify once, in `prepare` or when it is first needed."""
        if self._shop is None:
            self._meet(self._client.run(documents.PREPARE, {}))
        assert self._shop is not None
        return self._shop

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the app may do, with the reading that each writing implies; None where Shopify does not tell."""
        if self._shop is None:
            self._meet(self._client.run(documents.PREPARE, {}))
        return self._scopes

    def _meet(self, answer: Answer) -> None:
        """Keep what an answer tells of the shop and of what the app may do in it."""
        self._shop, self._scopes = shop_from(answer), scopes_from(answer)

    def run(self, document: str, variables: dict[str, Any], *, writes: bool = False) -> Answer:
        """One document of somebody who knows what he asks. See `client`."""
        return self._client.run(document, variables, writes=writes)

    # --- setting up ---------------------------------------------------------------------------------

    def look(self, resources: Iterable[Resource]) -> dict[str, Any]:
        """What somebody who chooses what to sync wants to know of the store: `looking`."""
        self._meet(self._client.run(documents.PREPARE, {}))
        return looking.look(self._client, resources, self._scopes)

    def count(self, resource: Resource, search: str) -> dict[str, Any] | None:
        """How many things of a resource a filter leaves. Raises UserError for a search that Shopify does not take."""
        return looking.count(self._client, resource, search)

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = lambda done: None) -> None:
        """See `backend.connector`."""
        self._client.watch(before_write)
        self._going_on = going_on

    # --- actions ----------------------------------------------------------------------------------

    def hurry(self, sleep: Callable[[float], None]) -> None:
        """Wait with `sleep` from here on: where a person waits for the answer, one that gives up soon."""
        self._sleep = sleep
        self._client.hurry(sleep)

    def acting(self) -> Actor:
        """What looks at orders and drafts and does single steps with them. Asks for the app's scopes once."""
        return Actor(self._client, self.scopes)

    # --- rights -----------------------------------------------------------------------------------

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """Check the token, the version and the scopes. Nothing is ever made on this side.

        A mapping whose data may not be read is paused. One that may be read but not written keeps its rules, for a
        field turned to `to_grist` would put the store's value over what a person typed: nothing of it is created or
        deleted in Shopify, and `apply` refuses every change of it with the sentence that names the scope.
        """
        answer, self._about = self._about or self._client.run(documents.PREPARE, {}), None
        self._meet(answer)
        self._known.forget()
        self._begin_filing()
        self._unwritable.clear()
        self._barred.clear()
        self._names.forget()
        self._definitions.clear()
        ready: list[Mapping] = []
        paused: dict[str, str] = {}
        notes: list[str] = []
        scopes = self._scopes
        if scopes is None:
            notes.append("Shopify does not say which scopes the app has, so missing ones show only when they are used.")
        for mapping in mappings:
            missing = lacking(mapping.resource.scopes, scopes)
            if missing:
                paused[mapping.name] = (
                    f"{mapping.resource.label} cannot be read: the app lacks the access scope {_and(missing)}. Add it "
                    "to the app's scopes, release and install that version on the store, then sync again.")
                continue
            missing = lacking(mapping.resource.write_scopes, scopes)
            if missing and _writes(mapping):
                said = AccessError(
                    f"{mapping.resource.label} cannot be written to Shopify: the app lacks the access scope "
                    f"{_and(missing)}.",
                    cure="Add it to the app's scopes, release and install that version on the store, then sync again.")
                notes.append(f"{said.message} {said.cure}")
                self._unwritable[mapping.name] = said
                mapping = replace(mapping, create_remote=False, delete_remote=Policy.IGNORE)
            ready.append(self._with_rights(self._with_metafields(mapping, notes), notes))
        return Prepared(tuple(ready), {}, paused, tuple(notes))

    def _with_rights(self, mapping: Mapping, notes: list[str]) -> Mapping:
        """The mapping without the fields that may not be read: one such would take its whole thing out of the answer.
        What may be read and not written is remembered, and refused field by field."""
        rules = list(mapping.fields)
        barred = self._barred.setdefault(mapping.name, {})
        for right in shape(mapping).rights:
            covered = [rule for rule in rules if right.covers(rule.field)]
            if covered and right.read and _lacks_all(right.read, self._scopes):
                named = _and([rule.field.label for rule in covered])
                notes.append(f"{mapping.resource.label}: {named} cannot be read: the app lacks the access scope "
                             f"{right.read[0]}.")
                rules = [rule for rule in rules if rule not in covered]
            elif right.write and _lacks_all(right.write, self._scopes):
                written = [rule for rule in covered if rule.may_write(Side.REMOTE)]
                for rule in written:
                    barred[rule.name] = AccessError(
                        f"{rule.field.label} cannot be written to Shopify: the app lacks the access scope "
                        f"{right.write[0]}.",
                        cure="Add it to the app's scopes, release and install that version on the store, then sync "
                             "again.")
                if written:
                    notes.append(f"{mapping.resource.label}: {_and([rule.field.label for rule in written])} cannot be "
                                 f"written to Shopify: the app lacks the access scope {right.write[0]}.")
        return mapping if len(rules) == len(mapping.fields) else mapping.with_fields(rules)

    def _with_metafields(self, mapping: Mapping, notes: list[str]) -> Mapping:
        """The mapping with its metafields as the store's definitions say."""
        if not any(rule.name.startswith(METAFIELD) for rule in mapping.fields):
            return mapping
        owner = shape(mapping).owner
        if owner not in self._definitions:
            self._definitions[owner] = read_definitions(self._client, owner)
        rules = []
        for rule in mapping.fields:
            if rule.name.startswith(METAFIELD):
                about = described(rule.field, self._definitions[owner].get(rule.name))
                if not about.writable and rule.direction is not Direction.TO_GRIST:
                    why = "the store has no definition of it" if rule.name not in self._definitions[owner] else \
                        "its type has no column that could hold it"
                    notes.append(f"{mapping.resource.label}: {rule.name} is only read, as text, because {why}.")
                    rule = replace(rule, direction=Direction.TO_GRIST)
                rule = replace(rule, field=about)
            rules.append(rule)
        return mapping.with_fields(rules)

    # --- finding changes --------------------------------------------------------------------------

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        """See `backend.connector` and `changes`. One request where nothing changed, whatever the store's size.

        Told is what changed itself. A product's total moves with its stock, a variant's name with its product: such
        relatives are the engine's to look at. Things below something deleted, and lines that left a draft, are named
        by nothing here: whoever knows which rows hang below a key in `keys` reads those as well.
        """
        found, self._about = changes.look(self._client, mappings, checkpoint, self._known, self._audits)
        self._meet(self._about)
        return found

    def expand(
        self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]
    ) -> tuple[dict[str, set[Key]], set[str]]:
        """Hints of webhooks as keys to read, and resources to read whole: a hint for order lines names their order,
        for stock an item. Hints of other types are dropped. See `changes.expand`."""
        return changes.expand(self._client, mappings, hints, self._known)

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Dates tell no own write from another one, so the next run looks at what this one wrote. What is made and
        deleted stands in the feed of deletions. What was held back for new rows that did not come is news to it."""
        return checkpoint | {changes.HELD_BACK: self._known.not_taken()}, False

    # --- reading ----------------------------------------------------------------------------------

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        """Everything, or what stands under `keys`. Raises AccessError, UserError, RetryLater; never half a list."""
        window = shape(mapping).window
        reader = Reader(self._client, mapping, self._known, self.shop.decimals, bulk=self._bulk,
                        window=bool(window and (self._scopes is None or window not in self._scopes)))
        return reader.everything(looks) if keys is None else reader.some(keys)

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        """See `backend.connector`. Shopify works figures out by itself after a write, so it is asked."""
        return self.read(mapping, keys)


def _lacks_all(wanted: Sequence[str], scopes: frozenset[str] | None) -> bool:
    return scopes is not None and not scopes & set(wanted)


def _writes(mapping: Mapping) -> bool:
    return mapping.create_remote or any(rule.may_write(Side.REMOTE) for rule in mapping.fields)


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
