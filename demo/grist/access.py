"""Who asks, and what they may do: API keys, the tokens that Grist gives to widgets, and roles.

Facts: recording `access`; a widget's token is a JWT that only Grist can check, opens one document's content and lasts
15 minutes.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROLES = ("viewer", "editor", "owner")
TOKEN_SECONDS = 900


class Refused(Exception):
    """An answer other than success: HTTP status and Grist's body."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": message, **more}


@dataclass(frozen=True)
class Caller:
    """Somebody who was recognised. `doc_id` is set for a token, which opens only that document's content."""
    name: str
    role: str
    user_id: int
    doc_id: str | None = None

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def user(self) -> dict[str, Any]:
        """The caller as access rules and formulas see it."""
        return {"Access": f"{self.role}s", "Name": self.name, "Email": f"{self.name}@example.com",
                "UserID": self.user_id}


class Access:
    """The keys and tokens of one Grist server. `clock()` gives seconds, so that tests can let tokens expire."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._secret = secrets.token_bytes(32)
        self._keys: dict[str, Caller] = {}
        self._clock = clock
        self._users: dict[str, int] = {}

    def add_key(self, key: str, role: str = "owner", name: str | None = None) -> Caller:
        if role not in ROLES:
            raise ValueError(f"Role {role!r} is none of {', '.join(ROLES)}.")
        caller = Caller(name or role, role, self._user_id(name or role))
        self._keys[key] = caller
        return caller

    def remove_key(self, key: str) -> None:
        self._keys.pop(key, None)

    def person(self, role: str) -> Caller:
        """The person who looks at the page in this role."""
        return Caller(role, role, self._user_id(role))

    def token(self, doc_id: str, caller: Caller, *, read_only: bool = False) -> dict[str, Any]:
        """A widget's token: `{"token", "ttlMsecs"}`. It carries `docId`, `userId` and `readOnly`."""
        head = {"alg": "HS256", "typ": "JWT"}
        now = int(self._clock())
        payload = {"readOnly": read_only, "userId": caller.user_id, "docId": doc_id, "role": caller.role,
                   "name": caller.name, "iat": now, "exp": now + TOKEN_SECONDS}
        signed = f"{_encoded(head)}.{_encoded(payload)}"
        return {"token": f"{signed}.{self._signature(signed)}", "ttlMsecs": TOKEN_SECONDS * 1000}

    def caller(self, authorization: str | None, token: str | None) -> Caller | None:
        """Who sent these credentials; None where there are none. Raises Refused (401) for wrong ones."""
        if token:
            return self._token_holder(token)
        if not authorization:
            return None
        scheme, _, key = authorization.partition(" ")
        found = self._keys.get(key.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Refused(401, "Bad request: invalid API key")
        return found

    def _token_holder(self, token: str) -> Caller:
        signed, _, signature = token.rpartition(".")
        try:
            payload = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        except ValueError:
            payload = None
        if not payload or not hmac.compare_digest(signature, self._signature(signed)):
            raise Refused(401, "Broken token")
        if payload["exp"] <= self._clock():
            raise Refused(401, "Token has expired")
        role = "viewer" if payload["readOnly"] else payload["role"]
        return Caller(payload["name"], role, payload["userId"], payload["docId"])

    def _signature(self, text: str) -> str:
        digest = hmac.new(self._secret, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _user_id(self, name: str) -> int:
        # The first four users of a Grist are its own: anonymous, everyone, previewer, support.
        return self._users.setdefault(name, len(self._users) + 5)


def require(caller: Caller | None, role: str) -> Caller:
    """The caller, if they may act as `role`. Raises Refused (403) in Grist's words."""
    if caller is None:
        raise Refused(403, "No view access")
    if not caller.may(role):
        raise Refused(403, {"editor": "No write access", "owner": "No owner access"}[role])
    return caller


def _encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
