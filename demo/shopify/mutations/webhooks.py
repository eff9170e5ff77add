"""Subscribing to webhooks (facts §11)."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import user_error
from ..ids import number_of
from ..webhooks.subscriptions import Subscription, address_of, problems
from .base import mutation

_GONE = "Webhook subscription does not exist"


def _subscribe(topic: str, given: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    errors = problems(store, topic, given)
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    now = store.now()
    made = Subscription(id=store.new_id(), topic=topic, uri=address_of(given) or "", created_at=now, updated_at=now)
    _write(made, given)
    if not store.webhooks.held:
        store.webhooks.watch_orders()
    store.webhooks.held[made.id] = made
    return {"webhookSubscription": made, "userErrors": []}


def _write(subscription: Subscription, given: dict[str, Any]) -> None:
    """What is given replaces what was there; what is left out stays."""
    address = address_of(given)
    if address:
        subscription.uri = address
    if given.get("format"):
        subscription.format = given["format"]
    if "filter" in given:
        subscription.filter = given["filter"]
    if given.get("includeFields") is not None:
        subscription.include_fields = tuple(given["includeFields"])
    if given.get("metafieldNamespaces") is not None:
        subscription.metafield_namespaces = tuple(given["metafieldNamespaces"])
    if given.get("metafields") is not None:
        subscription.metafields = [dict(each) for each in given["metafields"]]
    if "name" in given:
        subscription.name = given["name"]


def _changed(arguments: dict[str, Any], given: dict[str, Any], context: Context) -> dict[str, Any]:
    held = context.store.webhooks.held.get(number_of(arguments["id"], "WebhookSubscription") or 0)
    if held is None:
        return {"webhookSubscription": None, "userErrors": [user_error(["id"], _GONE)]}
    errors = problems(context.store, held.topic, given, held)
    if errors:
        return {"webhookSubscription": None, "userErrors": errors}
    _write(held, given)
    held.updated_at = context.store.now()
    return {"webhookSubscription": held, "userErrors": []}


@mutation("webhookSubscriptionCreate")
def create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _subscribe(arguments["topic"], arguments["webhookSubscription"], context)


@mutation("webhookSubscriptionUpdate")
def update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _changed(arguments, arguments["webhookSubscription"], context)


@mutation("pubSubWebhookSubscriptionCreate")
def create_pubsub(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _subscribe(arguments["topic"], _pubsub(arguments["webhookSubscription"]), context)


@mutation("pubSubWebhookSubscriptionUpdate")
def update_pubsub(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _changed(arguments, _pubsub(arguments["webhookSubscription"]), context)


@mutation("eventBridgeWebhookSubscriptionCreate")
def create_bridge(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["webhookSubscription"]
    return _subscribe(arguments["topic"], {**given, "uri": given.get("arn")}, context)


@mutation("eventBridgeWebhookSubscriptionUpdate")
def update_bridge(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["webhookSubscription"]
    return _changed(arguments, {**given, **({"uri": given["arn"]} if given.get("arn") else {})}, context)


def _pubsub(given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "uri": f"pubsub://{given.get('pubSubProject') or ''}:{given.get('pubSubTopic') or ''}"}


@mutation("webhookSubscriptionDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    gone = context.store.webhooks.held.pop(number_of(arguments["id"], "WebhookSubscription") or 0, None)
    if gone is None:
        return {"deletedWebhookSubscriptionId": None, "userErrors": [user_error(["id"], _GONE)]}
    return {"deletedWebhookSubscriptionId": gone.gid, "userErrors": []}
