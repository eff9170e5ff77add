"""A whole Grist server in memory: one person's site with a workspace, its documents, keys and limits."""
from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from demo.grist.access import Access, Caller
from demo.grist.document import Document
from demo.grist.webhooks import Webhooks

ID_LETTERS = string.digits + string.ascii_letters
# The first site and workspace of a Grist are its own (examples), the first four users too.
SITE_ID = WORKSPACE_ID = 2
OWNER_ID = 5
LOCAL_HOSTS = ("localhost", "127.0.0.1")


class Grist:
    """Holds documents and who may use them. `create_app(grist)` serves it.

    `parallel_limit`: requests at once per document, the next one gets 429. `daily_limit`: API calls a document (None:
    no limit). `webhook_hosts`: receivers that webhooks may name. `clock()` gives seconds (for tokens that expire).
    """

    def __init__(self, *, parallel_limit: int = 10, daily_limit: int | None = None,
                 webhook_hosts: tuple[str, ...] = LOCAL_HOSTS, webhook_delay: float = 1.0,
                 clock: Callable[[], float] | None = None) -> None:
        self.parallel_limit, self.daily_limit = parallel_limit, daily_limit
        self.access = Access(clock) if clock else Access()
        self.documents: dict[str, Document] = {}
        self.installed = datetime.now(UTC)
        self.owner_ref = _new_id()
        self._webhooks: dict[str, Webhooks] = {}
        self._webhook_hosts, self._webhook_delay = webhook_hosts, webhook_delay
        self._lock = threading.Lock()

    def new_document(self, name: str, doc_id: str | None = None) -> Document:
        """A new document with a `Table1`. Raises ValueError for an id that is taken."""
        with self._lock:
            doc_id = doc_id or _new_id()
            if doc_id in self.documents:
                raise ValueError(f"There is a document with the id {doc_id!r} already.")
            document = Document(doc_id, name)
            self._webhooks[doc_id] = Webhooks(document, self._webhook_hosts, self._webhook_delay)
            self.documents[doc_id] = document
            return document

    def add_key(self, key: str, role: str = "owner", name: str | None = None) -> Caller:
        """Let `key` be used as an API key with this role: owner, editor or viewer."""
        return self.access.add_key(key, role, name)

    def find(self, doc_id: str) -> Document | None:
        """A document by its id or the short id of its address (the first twelve letters)."""
        return self.documents.get(doc_id) or next(
            (document for document in self.documents.values() if document.doc_id[:12] == doc_id), None)

    def webhooks(self, document: Document) -> Webhooks:
        return self._webhooks[document.doc_id]

    def remove(self, doc_id: str) -> None:
        with self._lock:
            self.documents.pop(doc_id, None)
            self._webhooks.pop(doc_id, None)

    # What the site's own endpoints answer

    def org(self) -> dict[str, Any]:
        return {
            "name": "Personal", "createdAt": stamp(self.installed, whole_seconds=True),
            "updatedAt": stamp(self.installed), "id": SITE_ID, "domain": f"docs-{OWNER_ID}", "host": None,
            "owner": self._owner(),
        }

    def workspace(self) -> dict[str, Any]:
        return {"name": "Home", "createdAt": stamp(self.installed, whole_seconds=True),
                "updatedAt": stamp(self.installed), "id": WORKSPACE_ID, "isSupportWorkspace": False}

    def describe(self, document: Document, role: str) -> dict[str, Any]:
        """A document's metadata (`GET /api/docs/{doc}`)."""
        access, short = f"{role}s", document.doc_id[:12]
        billing = {
            "id": SITE_ID, "features": None, "individual": True, "inGoodStanding": True, "status": None,
            "stripePlanId": None, "paymentLink": None, "externalId": None, "externalOptions": None,
            "product": {"id": 1, "name": "Free", "features": {"workspaces": True, "vanityDomain": True}},
        }
        return {
            **self.summary(document, role), "trunkId": None, "type": None,
            "workspace": {**self.workspace(), "org": {**self.org(), "billingAccount": billing, "access": access},
                          "access": access, "owner": self._owner()},
            "aliases": [{"orgId": SITE_ID, "urlId": short, "docId": document.doc_id,
                         "createdAt": stamp(document.created, whole_seconds=True)}],
            "forks": [],
        }

    def summary(self, document: Document, role: str) -> dict[str, Any]:
        return {"name": document.name, "createdAt": stamp(document.created, whole_seconds=True),
                "updatedAt": stamp(document.updated), "id": document.doc_id, "isPinned": False,
                "urlId": document.doc_id[:12], "access": f"{role}s"}

    def _owner(self) -> dict[str, Any]:
        return {"id": OWNER_ID, "name": "You", "picture": None, "ref": self.owner_ref,
                "createdAt": stamp(self.installed, whole_seconds=True), "type": "login"}


def stamp(moment: datetime, *, whole_seconds: bool = False) -> str:
    text = moment.astimezone(UTC).replace(microsecond=0 if whole_seconds else moment.microsecond)
    return text.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(22))
