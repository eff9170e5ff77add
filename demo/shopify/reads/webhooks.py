"""Webhook subscriptions as they are read: only the app's own (facts §11)."""
from __future__ import annotations

from typing import Any

from .. import search, versions
from ..connections import Window, window
from ..context import Context
from ..ids import number_of
from ..registry import resolves
from ..webhooks.subscriptions import Subscription
from .lists import counted

_FIELDS = {"id": search.Field("id"), "created_at": search.Field("date"), "updated_at": search.Field("date"),
           "topic": search.Field("exact"), "endpoint": search.Field("exact"), "format": search.Field("exact")}


@resolves("QueryRoot", "webhookSubscription")
def one(source: Any, arguments: dict[str, Any], context: Context) -> Subscription | None:
    return context.store.webhooks.held.get(number_of(arguments["id"], "WebhookSubscription") or 0)


@resolves("QueryRoot", "webhookSubscriptions")
def listed(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = [each for each in _found(arguments, context)
             if (arguments.get("uri") or arguments.get("callbackUrl")) in (None, each.uri)
             and arguments.get("format") in (None, each.format)
             and (arguments.get("topics") is None or each.topic in arguments["topics"])]
    if arguments.get("sortKey", "CREATED_AT") == "CREATED_AT":
        return window(found, arguments, key=lambda each: each.created_at)
    return window(found, arguments)


@resolves("QueryRoot", "webhookSubscriptionsCount")
def count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(_found(arguments, context)), arguments)


def _found(arguments: dict[str, Any], context: Context) -> list[Subscription]:
    query = search.parse(arguments.get("query"), _FIELDS, context.store.now())
    if query.warnings:
        context.search_reports.append(query.report(context.path))
    return [each for each in context.store.webhooks.held.values() if query.matches(
        {"id": each.id, "created_at": each.created_at, "updated_at": each.updated_at, "topic": each.topic.lower(),
         "endpoint": each.uri, "format": each.format.lower(), "default": [each.topic, each.uri]})]


@resolves("WebhookSubscription", "callbackUrl")
def callback_url(each: Subscription, arguments: dict[str, Any], context: Context) -> str:
    return each.uri


@resolves("WebhookSubscription", "endpoint")
def endpoint(each: Subscription, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    if each.uri.startswith("pubsub://"):
        project, _, topic = each.uri.removeprefix("pubsub://").partition(":")
        return {"__typename": "WebhookPubSubEndpoint", "pubSubProject": project, "pubSubTopic": topic}
    if each.uri.startswith("arn:"):
        return {"__typename": "WebhookEventBridgeEndpoint", "arn": each.uri}
    return {"__typename": "WebhookHttpEndpoint", "callbackUrl": each.uri}


@resolves("WebhookSubscription", "apiVersion")
def api_version(each: Subscription, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """That of the app's settings, whatever version the subscribing call had."""
    handle = context.store.webhook_version()
    known = {row["handle"]: row for row in versions.listed(context.store.now())}
    return known.get(handle, {"handle": handle, "displayName": f"{handle} (Release candidate)", "supported": False})
