"""Who we are to Shopify: a pasted Admin token, or client id and secret exchanged for a token of one day.

    PastedToken(token)                    a lasting shpat_… token of a custom app
    ClientCredentials(client_id, secret)  an app of the Dev Dashboard: asked anew at 23 of 24 hours, and on a 401

No secret appears in a repr, a message or a log.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import orjson

from backend.errors import KeyRefused, RetryLater, UserError

if TYPE_CHECKING:
    import requests

EARLY_SECONDS = 3600.0
"""A token of 24 hours is renewed after 23."""


class Credentials(Protocol):
    """Something that yields a token for one store. `origin` is `https://{store}`, or a stand-in's."""

    @property
    def app(self) -> str:
        """Names the app behind it, without telling a secret: Shopify limits each app of a store for itself."""
        ...

    def token(self, origin: str) -> str:
        """A token that is good now. Raises KeyRefused, RetryLater."""
        ...

    def renew(self, origin: str) -> bool:
        """After a 401: whether there is a new token to try with."""
        ...


class PastedToken:
    """A token as the owner pasted it. Raises UserError where it cannot be one."""

    def __init__(self, token: str) -> None:
        token = token.strip()
        if not token:
            raise UserError("The Shopify access token is empty.", cure="Paste the token that starts with shpat_.")
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise UserError("The Shopify access token holds spaces or signs that no token has.",
                            cure="Copy it again, whole and without anything around it.")
        if token.startswith("shpss_"):
            raise UserError("What stands as Shopify access token is the app's client secret.",
                            cure="Give it together with the client id instead, or paste the token (shpat_…).")
        if token.startswith("atkn_"):
            raise UserError("What stands as Shopify access token belongs to another of Shopify's APIs.",
                            cure="Paste an Admin API token, which starts with shpat_.")
        self._token = token

    @property
    def app(self) -> str:
        return hashlib.sha256(self._token.encode()).hexdigest()[:12]

    def token(self, origin: str) -> str:
        return self._token

    def renew(self, origin: str) -> bool:
        return False

    def __repr__(self) -> str:
        return "PastedToken(…)"


class ClientCredentials:
    """Client id and secret of an app that belongs to the same organisation as the store (facts §1).

    May be shared by several connectors. `clock` counts seconds.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._id = client_id.strip()
        self._secret = client_secret.strip()
        if not self._id or not self._secret:
            raise UserError("Client id or client secret of the Shopify app is empty.",
                            cure="Copy both from the app's settings in Shopify's Dev Dashboard.")
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}

    @property
    def app(self) -> str:
        return self._id

    def token(self, origin: str) -> str:
        with self._lock:
            token, good_until = self._tokens.get(origin, ("", 0.0))
            if not token or self._clock() >= good_until:
                token = self._exchange(origin)
            return token

    def renew(self, origin: str) -> bool:
        with self._lock:
            self._exchange(origin)
        return True

    def __repr__(self) -> str:
        return "ClientCredentials(…)"

    def _exchange(self, origin: str) -> str:
        from backend.http import Http  # late: the web process starts without it

        body = urlencode({"grant_type": "client_credentials", "client_id": self._id, "client_secret": self._secret})
        # Asking for a token twice harms nothing, so a lost answer is simply asked again.
        response = Http("Shopify", explain=_explain, sleep=self._sleep).send(
            "POST", f"{origin}/admin/oauth/access_token", safe=True, body=body.encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"})
        answer = _object(response)
        token, seconds = answer.get("access_token"), answer.get("expires_in", 86399)
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
            raise RetryLater("Shopify answered the client id and secret without a token.",
                             cure="It is tried again by itself.")
        # A token of less than two hours would otherwise be asked anew for each request.
        self._tokens[origin] = (token, self._clock() + max(seconds - EARLY_SECONDS, seconds / 2))
        return token


_CURES = {
    "shop_not_permitted": "App and store must belong to the same organisation. Otherwise make a custom app in the "
                          "store and paste its token.",
    "app_not_installed": "Install the app on the store first: Dev Dashboard, your app, Home, Install app.",
    "invalid_client": "Copy client id and client secret again from the app's settings in the Dev Dashboard.",
    "application_cannot_be_found": "Copy the client id again from the app's settings in the Dev Dashboard.",
}


def _explain(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status == 429 or status >= 500:
        wait = response.headers.get("Retry-After", "")
        raise RetryLater(f"Shopify cannot exchange client id and secret now (status {status}).",
                         cure="It is tried again by itself.", retry_after=float(wait) if wait.isdigit() else None)
    if status == 404 or 300 <= status < 400:
        raise UserError("Shopify knows no store of this name.",
                        cure="Check the store's address (SHOPIFY_STORE, something.myshopify.com).")
    answer = _object(response)
    kind = str(answer.get("error") or "")
    # Error pages of this door are sometimes HTML with the name of the error inside.
    kind = kind if kind in _CURES else next((name for name in _CURES if name in response.text), kind)
    said = f" It said: {kind}." if kind else ""
    raise KeyRefused(f"Shopify does not accept the app's client id and secret for this store.{said}",
                     cure=_CURES.get(kind, _CURES["invalid_client"]))


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
