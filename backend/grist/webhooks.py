"""Grist's own webhooks as hints: which rows of a mapped table somebody has just added or changed.

    ensure   one webhook a mapped table: made where it is missing, mended where it differs; others of ours are removed
    hints    a delivery → (resource, row id) pairs; what the rows hold is not looked at
    remove   all of ours, when the link goes

Only an owner of the document may have webhooks; a removed row sends none, and what a full queue drops is lost: so
they make a sync earlier, never righter. Ours are known by their address. Facts: recording `webhooks`.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from backend.errors import AccessError, RetryLater, UserError
from backend.grist.binding import Bound
from backend.grist.client import GristClient

NAME = "Shopify sync"
MEMO = "Tells the sync with Shopify that rows changed. Made by the sync, and removed with its connection."
EVENTS = ("add", "update")


@dataclass(frozen=True, slots=True)
class Ensured:
    """By resource: whose changes are told now, what was made or mended for that, and why others are not."""

    subscribed: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    refused: dict[str, str] | None = None

    @property
    def reason(self) -> str:
        """The first refusal, for people; "" where there is none."""
        return next(iter((self.refused or {}).values()), "")


def ensure(client: GristClient, bounds: Dict[str, Bound], address: str, authorization: str) -> Ensured:
    """Let Grist tell `{address}/{resource}` of every mapped table that exists.

    `authorization` is sent along with each delivery, as its Authorization header. Only mapped columns are watched, so
    that our own technical ones wake nobody. Raises RetryLater.
    """
    wanted = {name: _wanted(name, bound, address, authorization) for name, bound in bounds.items() if bound.exists}
    try:
        there = {hook["fields"]["url"]: hook for hook in _ours(client, address)}
    except AccessError:
        why = ("Grist lets only owners of a document have webhooks. Use the key of an owner, or let a timer look for "
               "changes.")
        return Ensured(refused=dict.fromkeys(wanted, why))
    done, put_back, refused = [], [], {}
    for name, fields in wanted.items():
        known = there.pop(fields["url"], None)
        try:
            if known is None:
                client.add_webhook(fields)
                put_back.append(name)
            elif _differs(known["fields"], fields):
                client.change_webhook(known["id"], fields)
                put_back.append(name)
            done.append(name)
        except RetryLater:
            raise
        except UserError as error:
            refused[name] = _said(error)
    for left in there.values():
        client.remove_webhook(left["id"])
    return Ensured(tuple(done), tuple(put_back), refused)


def remove(client: GristClient, address: str) -> int:
    """Remove all of ours; returns how many there were. Raises AccessError where the key is no owner's any more."""
    ours = _ours(client, address)
    for hook in ours:
        client.remove_webhook(hook["id"])
    return len(ours)


def hints(resource: str, payload: Any) -> tuple[tuple[str, str], ...]:
    """(resource, row id) of each row in a delivery. Whatever else it holds is nobody's business: values are read when
    the sync runs. What is no delivery of Grist's gives no hints."""
    if not isinstance(payload, list):
        return ()
    rows = {row["id"]: None for row in payload if isinstance(row, dict) and _is_row_id(row.get("id"))}
    return tuple((resource, str(row)) for row in rows)


def _is_row_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _wanted(name: str, bound: Bound, address: str, authorization: str) -> dict[str, Any]:
    columns = [*bound.columns.values(), *([bound.toggle] if bound.toggle else [])]
    return {
        "url": f"{address.rstrip('/')}/{name}", "authorization": authorization, "tableId": bound.table,
        "eventTypes": list(EVENTS), "enabled": True, "name": f"{NAME}: {bound.mapping.resource.label}", "memo": MEMO,
        "watchedColIds": sorted(column.id for column in columns), "isReadyColumn": None,
    }


def _differs(now: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a webhook of ours tells something else, elsewhere or not at all. Grist shows its secret to owners."""
    for key, value in wanted.items():
        held = now.get(key)
        if key in ("watchedColIds", "eventTypes"):
            if sorted(held or []) != sorted(value):
                return True
        elif (held or None) != (value or None):
            return True
    return False


def _ours(client: GristClient, address: str) -> list[dict[str, Any]]:
    return [hook for hook in client.webhooks() if _is_ours(hook, address)]


def _is_ours(hook: dict[str, Any], address: str) -> bool:
    return str(hook["fields"].get("url", "")).startswith(f"{address.rstrip('/')}/")


def _said(error: UserError) -> str:
    if "forbidden" in error.message:
        return ("Your Grist server does not call this address. Its administrator has to name the sync service's host "
                "in ALLOWED_WEBHOOK_DOMAINS; the timer goes on looking for changes until then.")
    return str(error)

