"""Answer what Shopify asked for customers' sake: forget a customer, tell what is kept of one, forget a whole store.

The webhook only keeps the question (backend/web/hooks.py), for Shopify wants its answer within seconds.
"""

from __future__ import annotations

import logging

from backend.app import Context
from backend.store import notices, privacy, schedule
from backend.store.db import Transaction
from backend.store.privacy import DATA_REQUEST, SHOP, Wish

log = logging.getLogger(__name__)

NOTICE = "privacy"


def answer(context: Context) -> int:
    """Answer all that waits; returns how many. Each is one transaction: done and noted as done, or neither."""
    with context.database.read() as tx:
        if not privacy.is_waiting(tx):
            return 0
    with context.database.write() as tx:
        wishes = privacy.waiting(tx)
        for wish in wishes:
            _answer(tx, wish)
    return len(wishes)


def _answer(tx: Transaction, wish: Wish) -> None:
    if wish.topic == SHOP:
        found = privacy.redact_link(tx, wish.link_id)
        schedule.stop(tx, wish.link_id, "redacted", "Shopify asked to forget this store, and what was kept of it has "
                      "been forgotten.", "Connect the store again to sync it anew; the document is as it was.")
        text = ("Shopify asked to forget the store. What the sync kept of it has been deleted; the document was left "
                "alone.")
    elif wish.topic == DATA_REQUEST:
        found = privacy.count(tx, wish.link_id, wish.things)
        text = (f"A customer asked the store for their data ({wish.customer}). The sync keeps {_lines(found)} about "
                "them; the document holds what its tables show. Send them what is theirs.")
    else:
        found = privacy.redact(tx, wish.link_id, wish.things)
        text = (f"Shopify asked to forget a customer. {_lines(found).capitalize()} of the sync's memory were redacted. "
                "Rows in the document are yours: delete or blank them where they hold that customer.")
    privacy.answered(tx, wish, found)
    notices.drop(tx, wish.link_id, [f"{NOTICE}-{wish.id}"])
    notices.raise_(tx, wish.link_id, f"{NOTICE}-{wish.id}", text, 0.0)
    log.info("%s for link %s answered: %s lines", wish.topic, wish.link_id, sum(found.values()))


def _lines(found: dict[str, int]) -> str:
    number = sum(found.values())
    return f"{number:,} line{'' if number == 1 else 's'}" if number else "nothing"
