"""Send one GraphQL document to one store, and come back with its data or one of our errors.

Waits for points before it sends (`governor`), lets `http` repeat what may be repeated, lets `answers` say what came
back, asks for a new token once on a 401, and counts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from backend.errors import RetryLater, TokenRefused, TooCostly, UserError
from backend.shopify.answers import Answer, answer_from
from backend.shopify.auth import Credentials
from backend.shopify.cost import Cost
from backend.shopify.governor import Governor, Hold, Ledger, OwnLedger

if TYPE_CHECKING:
    import requests

    from backend.connector import Usage

WAITED_SECONDS = 1.0
"""After a longer wait for points the lease of the run is looked at once more before anything is sent."""


class Client:
    """Not shared between threads. `origin` is `https://{store}` or a stand-in's, without a trailing slash."""

    def __init__(
        self,
        origin: str,
        version: str,
        credentials: Credentials,
        usage: Usage,
        *,
        ledger: Ledger | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from backend.http import Http  # late: the web process starts without it

        self.origin = origin
        self.version = version
        self._credentials = credentials
        self._usage = usage
        self._governor = Governor(ledger or OwnLedger(clock), sleep=sleep)
        self._url = f"{origin}/admin/api/{version}/graphql.json"
        self._http = Http("Shopify", explain=self._explain, count=self._count, sleep=sleep,
                          headers={"Content-Type": "application/json", "Accept": "application/json"})
        self._clock = clock
        self._writes = False
        self._hold: Hold | None = None
        self._answer: Answer | None = None
        self._wrong_version = ""

    def run(self, document: str, variables: dict[str, Any], *, writes: bool = False) -> Answer:
        """The answer to one document. `writes` says that it is a mutation.

        Raises whatever `answers.answer_from` does, and UserError where Shopify answers with another version of its
        API than was asked for or warns that it ignores a part of the search filter.
        """
        if self._wrong_version:
            raise self._version_error()
        body = orjson.dumps({"query": document, "variables": variables})
        began = self._clock()
        hold = self._governor.hold(document, variables)
        self._writes, self._hold, self._answer = writes, hold, None
        try:
            if writes and self._clock() - began > WAITED_SECONDS:
                self._http.before_write()
            self._send_as_ourselves(body)
        except TooCostly as error:
            if error.points:
                self._governor.too_costly(hold, error.points)
            raise
        finally:
            self._governor.settle(hold, self._answer.cost if self._answer else None)
        answer = self._answer
        if answer is None:  # pragma: no cover - Http calls `explain` for every answer
            raise RetryLater("Shopify's answer was not seen.")
        if writes:
            self._usage.writes += sum(isinstance(value, dict) for value in answer.data.values())
        elif self._wrong_version:
            # What a mutation did is done; the next request says it.
            raise self._version_error()
        if answer.warnings:
            raise UserError("Shopify does not understand the filter of this mapping, and would ignore that part: "
                            + "; ".join(answer.warnings) + ".",
                            cure="Correct the filter: fields as in Shopify's search, like status:active or tag:sale.")
        return answer

    def _send_as_ourselves(self, body: bytes) -> None:
        try:
            self._send(body)
        except TokenRefused:
            # Nothing runs on a 401, so even a mutation may be sent once more.
            if not self._credentials.renew(self.origin):
                raise
            self._send(body)

    def watch(self, before_write: Callable[[], None]) -> None:
        """Call `before_write` before a mutation that had to wait."""
        self._http.before_write = before_write

    def before_write(self) -> None:
        """Look at the lease of the run once more. Raises where nothing may be sent any more."""
        self._http.before_write()

    def was_written(self) -> None:
        """Count a mutation whose answer was lost and that was carried out, as it turned out."""
        self._usage.writes += 1

    def restores(self) -> float:
        """How many points come back in a second; 0 where no answer has told yet."""
        return self._governor.restores()

    def hurry(self, sleep: Callable[[float], None]) -> None:
        """Wait with `sleep` from here on."""
        self._governor.hurry(sleep)
        self._http.hurry(sleep)

    def _send(self, body: bytes) -> None:
        self._http.send("POST", self._url, safe=not self._writes, body=body,
                        headers={"X-Shopify-Access-Token": self._credentials.token(self.origin)})

    def _explain(self, response: requests.Response) -> None:
        try:
            answer = answer_from(response.status_code, response.headers, response.content, writes=self._writes)
        except RetryLater as error:
            self._obey(error, response)
            raise
        self._answer = answer
        if answer.cost and answer.cost.actual:
            self._usage.points += answer.cost.actual
        if answer.version and answer.version != self.version:
            self._wrong_version = answer.version

    def _obey(self, error: RetryLater, response: requests.Response) -> None:
        """Wait as Shopify says. A throttled answer carries what the store has; others carry a number of seconds."""
        try:
            cost = Cost.of(orjson.loads(response.content)["extensions"]["cost"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            cost = None
        if cost is not None and cost.actual is None and self._hold is not None:
            error.retry_after = self._governor.throttled(self._hold, cost)
        elif error.retry_after is not None and response.status_code != 200:
            self._governor.quiet(error.retry_after)

    def _version_error(self) -> UserError:
        return UserError(f"Shopify answered with version {self._wrong_version} of its API instead of {self.version}, "
                         "as it does when a version is no longer supported.",
                         cure="Update this product, or set SHOPIFY_API_VERSION to a version that Shopify supports.")

    def _count(self) -> None:
        self._usage.requests += 1


def store_domain(text: str) -> str:
    """`fieldhouse.myshopify.com` from what people paste: the name alone, the domain, or an address of the admin.

    Raises UserError for anything else, such as the shop's public domain, which the API does not answer on.
    """
    pasted = text.strip().lower()
    try:
        parts = urlsplit(pasted if "//" in pasted else f"//{pasted}")
        host, path = (parts.hostname or ""), parts.path
    except ValueError:  # an unclosed bracket, say
        host, path = "", ""
    found = re.match(r"^/store/([a-z0-9][a-z0-9-]*)(?:/|$)", path) if host == "admin.shopify.com" else None
    if found:
        return f"{found[1]}.myshopify.com"
    if re.fullmatch(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", host):
        return host
    if re.fullmatch(r"[a-z0-9][a-z0-9-]*", pasted):
        return f"{pasted}.myshopify.com"
    raise UserError(f"{text.strip()!r} is not the address of a Shopify store's admin.",
                    cure="Give the permanent address, like fieldhouse.myshopify.com; Shopify shows it in the admin "
                         "under Settings, Domains.")
