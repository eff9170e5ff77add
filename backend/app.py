"""The one place that knows everybody: it joins settings, store, connectors and engine.

    settings + sync.yaml  →  link in the store  →  Session for the engine, with both connectors
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.config import Config, mapping_of, narrowed
from backend.config import load as load_config
from backend.core.guard import Limits
from backend.core.mapping import in_order
from backend.core.model import Mapping, Resource
from backend.engine import REST_SECONDS, Session
from backend.errors import ConfigError, UserError
from backend.grist.access import create_document
from backend.grist.address import document_id
from backend.grist.connector import GristConnector
from backend.settings import Settings
from backend.shopify.auth import ClientCredentials, PastedToken
from backend.shopify.client import store_domain
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from backend.shopify.shop import Shop
from backend.store import links
from backend.store.buckets import Buckets
from backend.store.db import Database, Transaction
from backend.store.links import Link


@dataclass
class Context:
    """A running product: its settings, its database, and what a link's sync may ask for."""

    settings: Settings
    database: Database
    resources: Dict[str, Resource]
    limits: Limits
    rest_seconds: float

    @classmethod
    def open(cls, settings: Settings, config: Config | None = None) -> Context:
        """Open (and bring up to date) the database. Raises UserError."""
        database = Database(settings.database_url)
        database.migrate()
        rest = settings.rest_seconds
        if rest is None:
            rest = config.rest_seconds if config and config.rest_seconds is not None else REST_SECONDS
        return cls(settings, database, RESOURCES, config.limits if config else Limits(), rest)

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
                    f"This document is joined to {link.store} already, and a document has one store.",
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
        beat: Callable[[dict[str, Any]], None] = lambda progress: None,
        fence: Callable[[Transaction], None] = lambda tx: None,
    ) -> Session:
        """What the engine needs for one run of `link`. Raises ConfigError for a field that is not mapped."""
        remote = self.shopify(link.store, shared=True)
        return Session(
            database=self.database,
            link_id=link.id,
            run_id=run_id,
            mappings=self.mappings(link, fields),
            local=self.grist(link, link.shop or shop_facts(remote.shop)),
            remote=remote,
            bindings=self.bindings(link),
            limits=self.limits,
            rest_seconds=self.rest_seconds,
            go_on=go_on,
            beat=beat,
            fence=fence,
        )

    def mappings(self, link: Link, fields: Sequence[str] = ()) -> list[Mapping]:
        """The mappings of a link in order of reference, narrowed to `fields` (names or groups) where any are given.

        Raises ConfigError for a name that nothing mapped answers to.
        """
        with self.database.read() as tx:
            stored = [one for one in links.mappings(tx, link.id) if not one.settings.get("off")]
        mappings = in_order([mapping_of(one.settings, self.resources, one.id) for one in stored], list(self.resources))
        return narrowed(mappings, fields)

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

    def shopify(self, store: str, *, shared: bool = False) -> ShopifyConnector:
        """A connector; a `shared` one keeps in the database what Shopify's rate limit has left, with all other workers.
        Raises ConfigError without credentials."""
        self.check_credentials()
        settings = self.settings
        if settings.shopify_token:
            credentials: PastedToken | ClientCredentials = PastedToken(settings.shopify_token.reveal())
        else:
            credentials = ClientCredentials(settings.shopify_client_id, settings.shopify_client_secret.reveal())
        return ShopifyConnector(
            store, credentials, version=settings.shopify_version, admin_url=settings.shopify_admin_url or None,
            ledger=Buckets(self.database, f"{store} {credentials.app}") if shared else None,
        )

    def webhook_secrets(self, link: Link | None) -> tuple[str, ...]:
        """What Shopify signs the webhooks of a link with, newest first; without a link, those of the whole app."""
        found = (self.settings.webhook_secret, self.settings.old_webhook_secret)
        return tuple(one.reveal() for one in found if one)

    def grist_authorization(self, link: Link, key: str) -> str:
        """What Grist sends along with the webhooks of a link, whose key this is. Worked out from the link's Grist key,
        so that it is kept nowhere; empty where there is none."""
        secret = self.settings.grist_api_key.reveal()
        if not secret:
            return ""
        return f"Bearer {hmac.digest(secret.encode(), f'grist webhook {key}'.encode(), 'sha256').hex()}"

    def grist(self, link: Link, shop: dict[str, Any]) -> GristConnector:
        self.check_credentials()
        return GristConnector(
            link.server_url,
            link.document,
            api_key=self.settings.grist_api_key.reveal(),
            currency=shop["currency"],
            decimals=shop["decimals"],
            time_zone=shop["timezone"],
        )


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


