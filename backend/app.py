"""The one place that knows everybody: it joins settings, store, connectors and engine.

    settings + sync.yaml  →  link in the store  →  Session for the engine, with both connectors
"""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from backend.config import Config, mapping_of, narrowed
from backend.config import load as load_config
from backend.core.guard import Limits
from backend.core.mapping import in_order
from backend.core.model import Mapping, Resource
from backend.errors import ConfigError, KeyRefused, UserError, Waits
from backend.grist.access import create_document
from backend.grist.address import document_id
from backend.secrets import Unreadable, Vault, masked, open_vault, row_of, unreadable
from backend.settings import Secret, Settings
from backend.shopify.auth import ClientCredentials, PastedToken
from backend.shopify.client import store_domain
from backend.shopify.resources import RESOURCES
from backend.store import entrusted, health, links, options, runs
from backend.store.buckets import Buckets
from backend.store.db import Database, Transaction
from backend.store.links import Link
from backend.store.pairing import Answer
from backend.usual import FILES_AFTER_SECONDS, REST_SECONDS, Audits

if TYPE_CHECKING:
    from backend.grist.connector import GristConnector
    from backend.session import Session
    from backend.shopify.connector import ShopifyConnector
    from backend.shopify.shop import Shop


@dataclass
class Context:
    """A running product: its settings, its database, and what a link's sync may ask for."""

    settings: Settings
    database: Database
    resources: Dict[str, Resource]
    limits: Limits
    rest_seconds: float
    vault: Vault = field(default_factory=lambda: Vault([]))
    audits: Audits = field(default_factory=Audits)
    files_after_seconds: float = FILES_AFTER_SECONDS

    @classmethod
    def open(cls, settings: Settings, config: Config | None = None) -> Context:
        """Open (and bring up to date) the database. Raises UserError."""
        database = Database(settings.database_url)
        database.migrate()
        rest = settings.rest_seconds
        if rest is None:
            rest = config.rest_seconds if config and config.rest_seconds is not None else REST_SECONDS
        vault = open_vault(settings.secret_key, settings.database_url, wiped_disk=settings.wiped_disk)
        made = cls(settings, database, RESOURCES, config.limits if config else Limits(), rest, vault,
                   _audits(settings, config or Config()), _files_after_seconds(settings, config or Config()))
        made.check_secrets()
        return made

    @classmethod
    def untouched(cls, settings: Settings) -> Context:
        """A context that asks the database nothing and leaves no trace there."""
        return cls(settings, Database(settings.database_url), RESOURCES, Limits(), REST_SECONDS)

    def check(self, config: Config | None, fields: Sequence[str] = ()) -> None:
        """Whatever can be checked of settings and configuration without asking anybody. Raises UserError."""
        self.shopify(self.store(config))
        document = (config.document if config else "") or self.settings.grist_document
        if not (document or self.settings.grist_workspace):
            raise ConfigError("No Grist document is named.", cure="Set GRIST_DOC_ID, or document: in sync.yaml.")
        if document:
            document_id(document)
        if config is not None:
            narrowed([mapping_of(one, self.resources) for one in config.mappings], fields)

    def store(self, config: Config | None) -> str:
        """The configured store's domain. Raises ConfigError where none is named."""
        store = (config.store if config else "") or self.settings.shopify_store
        if not store:
            raise ConfigError("No Shopify store is named.", cure="Set SHOPIFY_STORE, or store: in sync.yaml.")
        return store_domain(store)

    # --- links ----------------------------------------------------------------------------------

    def ensure_link(self, config: Config | None) -> Link:
        """The link that settings and configuration describe, made where it is new, its mappings as configured.

        Raises ConfigError where store, document or mappings are missing, UserError where the document is joined
        to another store already.
        """
        store = self.store(config)
        server, document = self.document(config)
        with self.database.write() as tx:
            link = links.of_document(tx, server, document)
            if link is not None and link.store != store:
                raise UserError(
                    f"This document is connected to {link.store} already, and a document has one store.",
                    cure=f"Use another document for {store}, or point SHOPIFY_STORE back to {link.store}.",
                )
            link_id = link.id if link else links.add(tx, store, server, document, self.settings.interval_seconds)
            if config and config.mappings:
                links.set_mappings(tx, link_id, config.mappings)
            elif not links.mappings(tx, link_id):
                raise ConfigError(
                    "There is no sync.yaml, so it is not known which tables to sync.",
                    cure="Write one with --init, look it over, and sync again.",
                )
            if config:
                links.set_interval(tx, link_id, config.interval_seconds or self.settings.interval_seconds)
                options.change(tx, link_id, dict(config.telling))
            if link is not None and not link.configured:
                links.set_configured(tx, link_id)
            found = links.get(tx, link_id)
        assert found is not None
        return found

    def document(self, config: Config | None) -> tuple[str, str]:
        """(server address, document id) of the configured document. Where only a workspace is named, the document
        that was made there for the store before, else a new one."""
        named = (config.document if config else "") or self.settings.grist_document
        if named:
            server, document = document_id(named)
            return server or self.settings.grist_server_url, document
        if not self.settings.grist_workspace:
            raise ConfigError("No Grist document is named.", cure="Set GRIST_DOC_ID, or document: in sync.yaml.")
        store = self.store(config)
        with self.database.read() as tx:
            known = [link for link in links.all_links(tx) if link.store == store]
        if known:
            return known[0].server_url, known[0].document
        made = create_document(
            self.settings.grist_server_url, self.settings.grist_api_key.reveal(), self.settings.grist_workspace,
            "Shopify",
        )
        return self.settings.grist_server_url, made

    # --- sessions -------------------------------------------------------------------------------

    def session(
        self,
        link: Link,
        run_id: int,
        *,
        fields: Sequence[str] = (),
        go_on: bool = False,
        everything: bool = False,
        only_plan: str = "",
        draft: Sequence[dict[str, Any]] | None = None,
        decided: Dict[str, Sequence[Answer]] | None = None,
        beat: Callable[[dict[str, Any]], None] = lambda progress: None,
        fence: Callable[[Transaction], None] = lambda tx: None,
    ) -> Session:
        """What the engine needs for one run of `link`: its mappings, or those of a `draft` (settings that nobody has
        saved yet; `decided` as the engine's). Raises ConfigError for a field that is not mapped."""
        from backend.session import Session  # late: the web process starts without it

        if link.disconnected_at is not None:
            raise ConfigError(f"This document was disconnected from {link.store}.",
                              cure="Connect the store again in the widget.")
        chosen, audits = options.of(link), self.audits_of(link)
        remote = self.shopify(link, shared=True, audits=audits)
        return Session(
            database=self.database,
            link_id=link.id,
            run_id=run_id,
            mappings=self.mappings(link, fields) if draft is None else self.drafted(link, draft),
            local=self.grist(link, link.shop or shop_facts(remote.shop)),
            remote=remote,
            bindings=self.bindings(link),
            limits=replace(self.limits, **chosen.brakes),  # type: ignore[arg-type]  # as the door let them in
            rest_seconds=self.rest_seconds if chosen.rest_seconds is None else chosen.rest_seconds,
            audit_seconds=audits.others_seconds or math.inf,
            go_on=go_on,
            # Of a draft everything is news: nobody has looked at a mapping that is not there yet.
            everything=everything or draft is not None,
            only_plan=only_plan,
            decided=decided or {},
            beat=beat,
            fence=fence,
        )

    def audits_of(self, link: Link) -> Audits:
        """How often a link is read although nothing says that it changed: by its own settings, else by the service's.
        Where webhooks tell of stock it needs no audits of its own."""
        said = link.settings.get("audit_hours")
        with self.database.read() as tx:
            hooks = (health.webhooks(tx, link.id) or {}).get("shopify", {})
        heard = 0 < hooks.get("wanted", 0) <= hooks.get("registered", 0)
        return replace(self.audits, webhooks=heard,
                       others_seconds=self.audits.others_seconds if said is None else said * 3600.0)

    def mappings(self, link: Link, fields: Sequence[str] = ()) -> list[Mapping]:
        """The mappings of a link in order of reference, narrowed to `fields` (names or groups) where any are given.

        Raises ConfigError for a name that nothing mapped answers to.
        """
        with self.database.read() as tx:
            stored = [one for one in links.mappings(tx, link.id) if not one.settings.get("off")]
        mappings = in_order([mapping_of(one.settings, self.resources, one.id) for one in stored], list(self.resources))
        return narrowed(mappings, fields)

    def drafted(self, link: Link, draft: Sequence[dict[str, Any]]) -> list[Mapping]:
        """The mappings that these settings describe, joined to what is kept of those that exist."""
        with self.database.read() as tx:
            ids = {one.resource: one.id for one in links.mappings(tx, link.id)}
        mappings = [mapping_of(one, self.resources, ids.get(one["resource"], 0)) for one in draft]
        return in_order(mappings, list(self.resources))

    def bindings(self, link: Link) -> dict[str, Any]:
        with self.database.read() as tx:
            return {one.resource: one.binding for one in links.mappings(tx, link.id) if one.binding}

    def check_credentials(self) -> None:
        """Raises ConfigError where a run could not even begin. Asks nobody."""
        if not self.settings.has_shopify:
            raise ConfigError(
                "There is no key for the Shopify store.",
                cure="Set SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET.",
            )
        if not self.settings.grist_api_key:
            raise ConfigError("There is no key for the Grist document.", cure="Set GRIST_API_KEY.")

    def shopify(
        self, whose: Link | str, *, shared: bool = False, audits: Audits | None = None
    ) -> ShopifyConnector:
        """The store of a link, or one by its address with the environment's key; a `shared` connector keeps in the
        database what Shopify's rate limit has left, with all other workers. Raises ConfigError without a key."""
        from backend.shopify.connector import ShopifyConnector  # late: the web process starts without it

        store = whose.store if isinstance(whose, Link) else whose
        credentials = self.credentials(whose if isinstance(whose, Link) else None)
        settings = self.settings
        return ShopifyConnector(
            store, credentials, version=settings.shopify_version, admin_url=settings.shopify_admin_url or None,
            audits=audits or self.audits, files_after_seconds=self.files_after_seconds,
            ledger=Buckets(self.database, f"{store} {credentials.app}") if shared else None,
        )

    def webhook_secrets(self, link: Link | None) -> tuple[str, ...]:
        """What Shopify signs the webhooks of a link with, newest first; without a link, those of the whole app."""
        found = [self.settings.webhook_secret, self.settings.old_webhook_secret]
        entrusted_key = self.secret(link, "store") if link is not None else None
        if entrusted_key is not None:
            found.insert(0, Secret(orjson.loads(entrusted_key.reveal()).get("client_secret") or ""))
        return tuple(one.reveal() for one in found if one)

    def grist_authorization(self, link: Link, key: str) -> str:
        """What Grist sends along with the webhooks of a link, whose key this is. Worked out from the link's Grist key,
        so that it is kept nowhere; empty where there is none."""
        secret = self.grist_key(link)
        if not secret:
            return ""
        return f"Bearer {hmac.digest(secret.encode(), f'grist webhook {key}'.encode(), 'sha256').hex()}"

    def credentials(self, link: Link | None) -> PastedToken | ClientCredentials:
        """The key of a link's store: the one that was entrusted to us, else the environment's, which is good only for
        what the environment describes. Raises ConfigError where there is none."""
        entrusted_key = self.secret(link, "store") if link is not None else None
        if entrusted_key is not None:
            return credentials_from(orjson.loads(entrusted_key.reveal()))
        if link is not None and not link.configured:
            raise KeyRefused(f"There is no key for {link.store}.", cure="Connect the store again in the widget.")
        if link is None:
            self.check_credentials()
        settings = self.settings
        if settings.shopify_token:
            return PastedToken(settings.shopify_token.reveal())
        if not settings.has_shopify:
            raise ConfigError(
                "There is no key for the Shopify store.",
                cure="Set SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET.",
            )
        return ClientCredentials(settings.shopify_client_id, settings.shopify_client_secret.reveal())

    def grist(self, link: Link, shop: dict[str, Any], token: str = "") -> GristConnector:
        """The document of a link: with `token`, a person's; else with its own key; else with the access that somebody
        left with a run. Raises Waits where there is nothing of it, ConfigError where nobody could ever leave it."""
        from backend.grist.connector import GristConnector  # late: the web process starts without it

        key = "" if token else self.grist_key(link)
        return GristConnector(
            link.server_url,
            link.document,
            api_key=key or None,
            token=token or (None if key else self.persons_access(link).token),
            currency=shop["currency"],
            decimals=shop["decimals"],
            time_zone=shop["timezone"],
            calls_left=self._grist_calls_left(link),
        )

    def _grist_calls_left(self, link: Link) -> int | None:
        """How many calls to Grist are left today (UTC); None where nobody counts."""
        a_day = options.of(link).grist_calls_a_day
        if a_day is None:
            return None
        with self.database.read() as tx:
            now = runs.clock(tx)
            return max(0, a_day - runs.grist_calls(tx, link.id, now - now % 86_400))

    def grist_key(self, link: Link) -> str:
        """The key for work while nobody is looking; empty where there is none. The environment's is good only for the
        document that the environment describes."""
        found = self.secret(link, "grist_key")
        if found is not None:
            return found.reveal()
        return self.settings.grist_api_key.reveal() if link.configured else ""

    # --- a person's access, for a run that they began ---------------------------------------------------

    def persons_access(self, link: Link) -> Access:
        """What somebody who looks at the widget left for the runs of a link. Raises Waits where it ends soon."""
        with self.database.read() as tx:
            held = entrusted.get(tx, link.id, "token")
        if held is None or held.expires_at is None or held.expires_at - time.time() < NEEDED_SECONDS:
            if link.id == 0 or not self.vault:
                raise ConfigError("There is no key for the Grist document.", cure="Set GRIST_API_KEY.")
            raise Waits("This sync works with the access of whoever has the widget open, and nobody has.",
                        cure="Open the widget and it goes on, or add a key for background work in Settings.")
        return Access(self.vault.open(held.sealed, row_of(link.id, "token")).reveal(), held.expires_at)

    def leave_access(self, link: Link, token: str, expires_at: float, by: str) -> bool:
        """Keep a person's access for the runs of a link that has no key of its own, until it ends. False where it is
        not needed, or lasts no longer than what is kept."""
        if not self.vault or self.grist_key(link):
            return False
        with self.database.read() as tx:
            held = entrusted.get(tx, link.id, "token")
        if held is not None and held.expires_at is not None and held.expires_at >= expires_at - 1:
            return False
        with self.database.write() as tx:
            self.keep(tx, link.id, "token", token, by=by, hint="", expires_at=expires_at)
            runs.go_on(tx, link.id)
        return True

    def unattended(self, tx: Transaction, among: Collection[int]) -> set[int]:
        """Which of these links a timer or a webhook may sync: with a key for the document, and not disconnected."""
        return entrusted.unattended(tx, bool(self.settings.grist_api_key), among)

    # --- secrets --------------------------------------------------------------------------------------

    def secret(self, link: Link, name: str) -> Secret | None:
        """Something entrusted to us for this link. Raises Unreadable where SECRET_KEY cannot read it."""
        if link.id == 0:  # a link that is only thought of
            return None
        with self.database.read() as tx:
            held = entrusted.get(tx, link.id, name)
        return self.vault.open(held.sealed, row_of(link.id, name)) if held else None

    def keep(self, tx: Transaction, link_id: int, name: str, text: str, *, by: str, hint: str | None = None,
             expires_at: float | None = None) -> None:
        """Seal and store. Raises ConfigError where there is nothing to seal with."""
        entrusted.keep(tx, link_id, name, self.vault.seal(text, row_of(link_id, name)), by=by, expires_at=expires_at,
                       hint=masked(text) if hint is None else hint)

    def check_secrets(self) -> None:
        """See that everything stored can be read, and seal it with the newest key. Raises ConfigError, which says
        what cannot be read and how to go on."""
        with self.database.write() as tx:
            entrusted.forget_ended(tx)
            lost = []
            for one in entrusted.everything(tx):
                try:
                    anew = self.vault.renewed(one.sealed, row_of(one.link_id, one.name))
                except (Unreadable, ConfigError):
                    lost.append(f"{one.name} of link {one.link_id}")
                    continue
                if anew is not None:
                    entrusted.seal_anew(tx, one, anew)
            if lost:
                raise unreadable(lost)


NEEDED_SECONDS = 120.0
"""A run does not begin a batch with a person's access that ends sooner."""


@dataclass(frozen=True, slots=True)
class Access:
    """A person's access to the document. `expires_at` is in seconds since 1970."""

    token: str = field(repr=False)
    expires_at: float


def credentials_from(told: Dict[str, str]) -> PastedToken | ClientCredentials:
    """`{"token"}` or `{"client_id", "client_secret"}`. Raises UserError for what can be no key."""
    if told.get("token"):
        return PastedToken(told["token"])
    return ClientCredentials(told.get("client_id", ""), told.get("client_secret", ""))


def _audits(settings: Settings, config: Config) -> Audits:
    """How often what nobody tells of is looked for: the environment's word, sync.yaml's, or the usual."""
    usual = Audits()
    everything = config.audit_seconds if settings.audit_seconds is None else settings.audit_seconds
    stock = config.stock_audit_seconds if settings.stock_audit_seconds is None else settings.stock_audit_seconds
    return Audits(stock_seconds=usual.stock_seconds if stock is None else stock,
                  others_seconds=usual.others_seconds if everything is None else everything)


def _files_after_seconds(settings: Settings, config: Config) -> float:
    """The environment's word, sync.yaml's, or the usual."""
    said = config.files_after_seconds if settings.files_after_seconds is None else settings.files_after_seconds
    return FILES_AFTER_SECONDS if said is None else said


def shop_facts(shop: Shop) -> dict[str, Any]:
    """What is remembered of a store: its name for people, its money and its clock for tables."""
    return {"name": shop.name, "currency": shop.currency, "decimals": shop.decimals, "timezone": shop.timezone,
            "domain": shop.domain}


def read_config(settings: Settings, path: Path | None = None) -> Config | None:
    """The configuration file: the one named, else the one that SYNC_CONFIG names, else `sync.yaml` if there is one."""
    named = path or (Path(settings.config_file) if settings.config_file else None)
    if named is None:
        named = Path("sync.yaml")
        if not named.is_file():
            return None
    return load_config(named, RESOURCES)


