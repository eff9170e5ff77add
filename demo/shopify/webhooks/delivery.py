"""Deliveries: made when something has happened, signed, sent, sent again, and given up at last (facts §11).

    happening ─▶ payload ─▶ one delivery a subscription ─▶ 2xx within 5 s: done
                                                        └▶ else again after a growing pause, eight times over 4 h;
                                                           then the subscription is dropped

The body is written once, so a repeat says the same. `faults` lets tests drop, double, hold back or turn around
what would have been sent. Pauses run on the store's clock.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..happenings import Happening
from . import filters, payloads, topics
from .subscriptions import Subscription

if TYPE_CHECKING:
    from ..state import Store

# Minutes until each further attempt: eight of them in four hours.
PAUSES_SECONDS = tuple(60 * minutes for minutes in (1, 3, 7, 15, 26, 43, 60, 85))
_TIMEOUT_SECONDS = 5


@dataclass
class Delivery:
    """One message to one subscription, with its fate."""

    id: str  # X-Shopify-Webhook-Id
    event_id: str
    subscription: Subscription
    topic: str
    body: bytes
    triggered_at: datetime
    due: float
    attempts: int = 0
    status: str = "waiting"  # waiting, sending, done, dropped, failed
    answers: list[int | str] = field(default_factory=list)  # a status, or what went wrong on the way


class Webhooks:
    """The subscriptions, and what is on its way to them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.held: dict[int, Subscription] = {}
        self.secret = "demo-client-secret"  # signs the deliveries
        self.routes: dict[str, str] = {}  # the beginning of an address → where it is really reached
        self.faults: deque[dict[str, Any]] = deque()  # for the next deliveries, one each
        self.always: dict[str, Any] = {}  # for all of them
        self.log: deque[Delivery] = deque(maxlen=5000)
        self._waiting: list[Delivery] = []
        self._reversed: list[Delivery] = []
        self._happened: dict[tuple[str, str, int], Happening] = {}
        self._orders = topics.OrderWatch()
        self._pool: ThreadPoolExecutor | None = None

    # --- what happens -----------------------------------------------------------------------------------

    def happened(self, happening: Happening) -> None:
        """Something happened; it is told once the request that did it is over, merged with what is not yet told."""
        if not self.held:
            return
        key = (happening.action, happening.kind, happening.number)
        if happening.action == "update" and ("create", happening.kind, happening.number) in self._happened:
            return
        self._happened[key] = happening
        self._store.background.wake()

    def watch_orders(self) -> None:
        """The first subscription came: from now on it matters how orders stand."""
        for order in self._store.orders.values():
            self._orders.remember(order)

    def tell(self, topic: str, body: dict[str, Any]) -> None:
        """Tell of something that is no change of a thing: an app uninstalled, a bulk operation finished."""
        self._make(topic, body, None, self._store.now())

    def by_now_gone(self) -> None:
        """The app has been taken away: nobody hears of anything any more, but for what is on its way."""
        self.held.clear()

    def told(self) -> None:
        """Write the payloads of everything that has happened so far."""
        happened, self._happened = self._happened, {}
        for happening in happened.values():
            self._announce(happening)

    def _announce(self, happening: Happening) -> None:
        topic = topics.of_thing(happening.kind, happening.action)
        if topic is None:
            return
        thing = happening.thing
        if happening.action == "destroy":
            if happening.kind == "Order":
                self._orders.forget(happening.number)
            self._make(topic, happening.parting or {"id": happening.number}, None, happening.at)
            return
        self._make(topic, None, thing, happening.at)
        if happening.kind == "Order":
            for more, about in self._orders.changes(thing):
                self._make(more, None, about, happening.at)

    def _make(self, topic: str, body: dict[str, Any] | None, thing: Any, at: datetime) -> None:
        """One delivery for each subscription that lets the payload through."""
        event_id, written = str(uuid.uuid4()), None
        for subscription in self.held.values():
            if subscription.header != topic or not subscription.uri.startswith("http"):
                continue
            if subscription.metafield_namespaces and thing is not None:
                said = payloads.payload(self._store, thing, subscription.metafield_namespaces)
            else:
                written = written or (body if body is not None else payloads.payload(self._store, thing))
                said = written
            if filters.lets_through(subscription.filter, said):
                text = json.dumps(filters.picked(said, subscription.include_fields), ensure_ascii=False,
                                  separators=(",", ":"))
                self._queue(Delivery(str(uuid.uuid4()), event_id, subscription, topic, text.encode(), at,
                                     due=self._store.clock.monotonic()))

    def _queue(self, delivery: Delivery) -> None:
        fault = {**self.always, **(self.faults.popleft() if self.faults else {})}
        self.log.append(delivery)
        if fault.get("drop"):
            delivery.status = "dropped"
            return
        delivery.due += float(fault.get("late_seconds") or 0)
        for _ in range(2 if fault.get("double") else 1):
            if fault.get("reverse"):
                self._reversed.append(delivery)
            else:
                self._waiting.append(delivery)
        if self._reversed and not (self.faults and self.faults[0].get("reverse")):
            self._waiting += reversed(self._reversed)
            self._reversed = []

    # --- the work ---------------------------------------------------------------------------------------

    def work(self) -> float | None:
        """Send what is due. Answers 0 when something was sent, the seconds until something is due, or None."""
        store = self._store
        with store.lock:
            self.told()
            now = store.clock.monotonic()
            ready = [each for each in self._waiting if each.due <= now]
            self._waiting = [each for each in self._waiting if each.due > now]
            naps = [each.due - now for each in self._waiting]
        for delivery in ready:
            delivery.status = "sending"
            if self._pool is None:
                self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="webhook")
            self._pool.submit(self._send, delivery)
        return 0.0 if ready else min(naps) if naps else None

    def send_due(self) -> None:
        """The same without threads, for tests: everything that is due has been sent when this returns."""
        store = self._store
        self.told()
        now = store.clock.monotonic()
        ready = [each for each in self._waiting if each.due <= now]
        self._waiting = [each for each in self._waiting if each.due > now]
        for delivery in ready:
            self._send(delivery)

    def _send(self, delivery: Delivery) -> None:
        outcome = _post(self._reached(delivery.subscription.uri), delivery.body, self._headers(delivery))
        with self._store.lock:
            delivery.attempts += 1
            delivery.answers.append(outcome)
            if isinstance(outcome, int) and 200 <= outcome < 300:
                delivery.status = "done"
            elif delivery.attempts > len(PAUSES_SECONDS):
                self._give_up(delivery)
            elif delivery.subscription.id in self.held or delivery.topic == "app/uninstalled":
                delivery.status = "waiting"
                delivery.due = self._store.clock.monotonic() + PAUSES_SECONDS[delivery.attempts - 1]
                self._waiting.append(delivery)
                self._store.background.wake()

    def _give_up(self, delivery: Delivery) -> None:
        """Eight repeats have failed: a subscription made by API is dropped, with all that waits for it."""
        delivery.status = "failed"
        if delivery.subscription.by_api:
            self.held.pop(delivery.subscription.id, None)
            self._waiting = [each for each in self._waiting if each.subscription is not delivery.subscription]

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        store, subscription = self._store, delivery.subscription
        return {"Content-Type": "application/json", "X-Shopify-Topic": delivery.topic,
                "X-Shopify-Shop-Domain": store.shop.domain, "X-Shopify-API-Version": store.webhook_version(),
                "X-Shopify-Webhook-Id": delivery.id, "X-Shopify-Event-Id": delivery.event_id,
                "X-Shopify-Triggered-At": delivery.triggered_at.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
                "X-Shopify-Hmac-Sha256": signature(delivery.body, self.secret),
                **({"X-Shopify-Name": subscription.name} if subscription.name else {})}

    def _reached(self, uri: str) -> str:
        for beginning, real in self.routes.items():
            if uri.startswith(beginning):
                return real + uri.removeprefix(beginning)
        return uri


def signature(body: bytes, secret: str) -> str:
    """base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _post(address: str, body: bytes, headers: dict[str, str]) -> int | str:
    """The status of the answer, or what went wrong. Redirects are answers like others: failures."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
