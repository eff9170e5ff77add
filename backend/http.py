"""One way out: every request to a service goes through `Http.send`, and only here is anything tried again.

Whether to try again is asked of the error. `explain`, given by each connector, turns an answer into one of our
errors; a `RetryLater` is waited for as long as its service asked, or with growing pauses, until patience ends.

A request that changes something (`safe=False`) is repeated only where it certainly did nothing: the connection
was never made, or the service said so in an answer (`explain` raised plain RetryLater). Where the answer is lost
the write may have happened: `OutcomeUnknown`, and the caller looks before it does anything else.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import time
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter

from backend.asking import about_to_ask
from backend.errors import OutcomeUnknown, RetryLater, UserError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 60.0
CHUNK_BYTES = 1 << 16
TELL_TIMEOUT_SECONDS = 10.0

T = TypeVar("T")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Explain = Callable[[requests.Response], None]
"""Returns for a good answer, raises one of our errors for any other."""


class Http:
    """A session with one service. Not shared between threads.

    `service` is what people call it ("Shopify", "Grist"); it stands in every message.
    `count` is called once for each request that was sent.
    """

    def __init__(
        self,
        service: str,
        *,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        explain: Explain,
        count: Callable[[], None] = lambda: None,
        patience_seconds: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.service = service
        self.session = requests.Session()
        # Credentials come from settings only, and never follow a redirect to somebody else.
        self.session.trust_env = False
        self.session.headers.update(headers or {})
        self.session.params = dict(params or {})
        self._explain = explain
        self._count = count
        self._patience_seconds = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        self._sleep = sleep
        self.before_write: Callable[[], None] = lambda: None
        """Called before a write that had to wait. Raises where it must not be sent any more."""

    def hurry(self, sleep: Callable[[float], None]) -> None:
        """Wait with `sleep` from here on."""
        self._sleep = sleep

    def send(
        self,
        method: str,
        url: str,
        *,
        safe: bool,
        body: bytes | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> requests.Response:
        """The answer, whole and good. Raises RetryLater when patience ends, OutcomeUnknown where a write's answer
        was lost, and whatever `explain` makes of a refusal."""
        arguments: dict[str, Any] = {"data": body, "params": params, "headers": headers}
        tries = 0

        def once() -> requests.Response:
            nonlocal tries
            tries += 1
            if tries > 1 and not safe:
                self.before_write()
            return self._once(method, url, safe, timeout_seconds, arguments)

        return self._retrying(once)

    def _retrying(self, work: Callable[[], T]) -> T:
        """`work` done, again after each error that allows it, until patience ends."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_be_repeated),
            wait=_wait,
            stop=tenacity.stop_before_delay(self._patience_seconds),
            before_sleep=self._say,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(work)

    def download(self, url: str, sink: BinaryIO, *, timeout_seconds: float = READ_TIMEOUT_SECONDS) -> None:
        """A file of any size into `sink`, from its beginning, whole; what is cut is fetched again. Raises RetryLater
        when patience ends. `timeout_seconds` is how long the other end may be silent."""

        def fetch() -> None:
            sink.seek(0)
            sink.truncate()
            about_to_ask.get()()
            self._count()
            try:
                with self.session.get(url, timeout=(CONNECT_TIMEOUT_SECONDS, timeout_seconds), allow_redirects=False,
                                      stream=True) as response:
                    if response.status_code != 200:
                        self._explain(response)
                    for part in response.iter_content(CHUNK_BYTES):
                        sink.write(part)
            except requests.RequestException as error:
                raise RetryLater(f"{self.service} broke off the file that it was sending.",
                                 cure="It is tried again by itself.") from error

        self._retrying(fetch)

    def upload(self, url: str, fields: dict[str, str], name: str, content: BinaryIO) -> requests.Response:
        """A form with `fields` and, last, one file. Sending it twice must harm nothing."""

        def send() -> requests.Response:
            content.seek(0)
            about_to_ask.get()()
            self._count()
            try:
                response = self.session.post(url, data=fields, files={"file": (name, content)}, allow_redirects=False,
                                             timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
            except requests.RequestException as error:
                raise RetryLater(f"{self.service} cannot be reached, or broke off its answer.",
                                 cure="It is tried again by itself.") from error
            self._explain(response)
            return response

        return self._retrying(send)

    def _once(
        self, method: str, url: str, safe: bool, timeout_seconds: float, arguments: dict[str, Any]
    ) -> requests.Response:
        about_to_ask.get()()
        self._count()
        try:
            response = self.session.request(
                method, url, timeout=(CONNECT_TIMEOUT_SECONDS, timeout_seconds), allow_redirects=False, **arguments
            )
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            raise RetryLater(f"{self.service} cannot be reached.", cure="It is tried again by itself.") from error
        except requests.RequestException as error:
            if safe or _never_connected(error):
                raise RetryLater(
                    f"{self.service} cannot be reached, or broke off its answer.", cure="It is tried again by itself."
                ) from error
            raise OutcomeUnknown(
                f"{self.service} took a change but its answer was lost, so the change may have happened.",
                cure="The next sync looks before it does anything else.",
            ) from error
        self._explain(response)
        return response

    def _say(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        log.info("%s: %s Next try in %.1f s", self.service, getattr(error, "message", error), wait)


# --- addresses that somebody else chose -------------------------------------------------------------


def tell(url: str, message: dict[str, Any], *, allow_local: bool = False) -> None:
    """Post `message` as JSON to an address that an owner of a document chose: https, and a public one.

    The name is looked up once, every address behind it must be public, and the connection goes to the very address
    that was looked at, so that a name which changes its mind leads nowhere. Redirects are not followed; of the answer
    nothing but its status is looked at. `allow_local` lifts all of that: for servers whose owner says so.

    Raises UserError for an address that is not allowed or that refuses the message, RetryLater where it is away.
    """
    session = requests.Session()
    session.trust_env = False
    headers = {"Content-Type": "application/json"}
    target = url
    if not allow_local:
        target, name = _public(url)
        headers["Host"] = urlsplit(url).netloc.rpartition("@")[2]
        session.mount("https://", _Pinned(name))
    try:
        with session.post(target, data=json.dumps(message).encode(), headers=headers, allow_redirects=False,
                          timeout=(CONNECT_TIMEOUT_SECONDS, TELL_TIMEOUT_SECONDS), stream=True) as response:
            status = response.status_code
    except requests.RequestException as error:
        raise RetryLater("The address for notifications cannot be reached.", cure="It is tried again by itself."
                         ) from error
    if status == 429 or status >= 500:
        raise RetryLater(f"The address for notifications answered with status {status}.",
                         cure="It is tried again by itself.")
    if status >= 300:
        raise UserError(f"The address for notifications refused the message with status {status}.",
                        cure="Make a new one where you got it, and put it into the settings.")


def _public(url: str) -> tuple[str, str]:
    """(the address with a looked-up number in place of the name, the name). Raises UserError, RetryLater."""
    cure = "Use an https address of a service on the internet."
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise UserError("The address for notifications is no address.", cure=cure) from error
    if parts.scheme != "https" or not name:
        raise UserError("The address for notifications is not an https address.", cure=cure)
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise RetryLater("The name in the address for notifications is not known now.",
                         cure="It is tried again by itself; check the address if it stays.") from error
    if not found or not all(_is_public(one) for one in found):
        raise UserError("The address for notifications leads into a private network.", cure=cure)
    chosen = sorted(found, key=lambda one: (":" in one, one))[0]
    host = f"[{chosen}]" if ":" in chosen else chosen
    return urlunsplit(("https", f"{host}:{port}", parts.path or "/", parts.query, "")), name


def _is_public(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        # Numbers of the old kind inside of new ones lead to where the old one leads.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


class _Pinned(HTTPAdapter):
    """Connects to a number and checks the certificate against a name."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, server_hostname=self._name, assert_hostname=self._name, **more)


def may_be_repeated(error: BaseException) -> bool:
    return isinstance(error, RetryLater) and not isinstance(error, OutcomeUnknown)


_growing = tenacity.wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.2)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "retry_after", None)
    return float(asked) if asked is not None else float(_growing(state))


def _never_connected(error: requests.RequestException) -> bool:
    """Whether the failure is a refused connection: then nothing was sent."""
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}
