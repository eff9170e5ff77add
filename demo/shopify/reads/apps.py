"""The app behind the token, its installation and its scopes."""
from __future__ import annotations

from typing import Any

from ..access import expanded
from ..connections import Window, window
from ..context import Context
from ..errors import TopLevelError
from ..ids import gid
from ..registry import resolves


def app(context: Context) -> dict[str, Any]:
    """The app as it is shown; its scopes as they were asked for, which are those that it has."""
    held = context.store.app
    scopes = _scopes(context)
    return {"__typename": "App", "id": gid("App", context.store.app_id), "title": held.title, "handle": held.handle,
            "apiKey": held.api_key, "developerName": held.developer, "embedded": True, "previouslyInstalled": False,
            "requestedAccessScopes": held.requested if held.requested is not None else scopes,
            "availableAccessScopes": scopes, "optionalAccessScopes": [],
            "description": None, "published": False, "shopifyDeveloped": False, "installUrl": None,
            "developerType": "PARTNER", "webhookApiVersion": context.store.webhook_version()}


def _scopes(context: Context) -> list[dict[str, str]]:
    store = context.store
    held = expanded(store.scopes) if store.behaviour.lists_implied_scopes else store.scopes
    return [{"handle": handle, "description": handle.replace("_", " ").capitalize()} for handle in held]


def _installation(context: Context) -> dict[str, Any]:
    store = context.store
    return {"__typename": "AppInstallation", "id": gid("AppInstallation", store.installation_id), "app": app(context),
            "launchUrl": f"https://{store.shop.domain}/admin/apps/{store.app.handle}", "uninstallUrl": None,
            "activeSubscriptions": [], "subscriptions": [], "accessScopes": _scopes(context), "channel": None,
            "publication": None}


@resolves("QueryRoot", "currentAppInstallation")
def current_app_installation(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _installation(context)


@resolves("QueryRoot", "appInstallation")
def app_installation(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    if arguments.get("id") in (None, gid("AppInstallation", context.store.installation_id)):
        return _installation(context)
    return None


@resolves("QueryRoot", "appInstallations")
def app_installations(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    """Of all apps of the shop: nothing for an app to see. The words are those of an older part of Shopify."""
    raise TopLevelError("access denied", "ACCESS_DENIED",
                        documentation="https://shopify.dev/api/usage/access-scopes")


@resolves("QueryRoot", "app")
def by_id(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return app(context) if arguments.get("id") in (None, gid("App", context.store.app_id)) else None


@resolves("QueryRoot", "appByHandle")
def by_handle(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return app(context) if arguments["handle"] == context.store.app.handle else None


@resolves("QueryRoot", "appByKey")
def by_key(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return app(context) if arguments["apiKey"] == context.store.app.api_key else None


@resolves("AppInstallation", "allSubscriptions", "oneTimePurchases", "credits", "revenueAttributionRecords")
def nothing_billed(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)
