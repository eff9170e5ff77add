"""Bulk operations: what Shopify works off by itself, outside of the rate limit (facts §4).

    run_query      bulkOperationRunQuery → poll → the file, line by line
    run_mutation   stagedUploadsCreate → upload → bulkOperationRunMutation → poll → what became of each line

The file lies on another host and is fetched without the token, into a temporary file: a list of any size takes no
memory. Five of each kind run at a time for an app and store; where that is full, queries of the same text are our own,
left by a run that died, and are cancelled. A query that failed is started again once. Of a failed query nothing is
used, for half a list is no list; of a failed mutation what it had done (`partialDataUrl`) is told, and the rest is
unknown.

Bulk mutations are not used by `apply`. One runs on at Shopify for up to a day after the worker that started it is gone:
its lease would end while its writes go on, and a successor could not know when they are over (P15); the look right
before an unconditional write (P2) would be minutes old. Whoever runs one must be alone with the store.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from backend.errors import BulkFailed, InputRefused, OutcomeUnknown, RetryLater
from backend.shopify.answers import LOOKED_AT, RETRIED
from backend.shopify.client import Client

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

POLL_SECONDS = (0.5, 1.0, 2.0, 3.0, 5.0)
"""The pauses between two looks; the last goes on."""
PATIENCE_SECONDS = 3 * 3600.0
"""A query may run ten days; whoever waits for it does not."""
MOST_BYTES = 100_000_000
"""Of one upload."""

_SEEN = "id status errorCode objectCount url partialDataUrl query"
START = """mutation StartBulkQuery($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id } userErrors { field message code }
  }
}"""
START_MUTATION = """mutation StartBulkMutation($mutation: String!, $path: String!, $name: String) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path, clientIdentifier: $name) {
    bulkOperation { id } userErrors { field message code }
  }
}"""
LOOK = f"query LookAtBulk($id: ID!) {{ bulkOperation(id: $id) {{ {_SEEN} }} }}"
LATEST = """query LatestBulks($query: String!) {
  bulkOperations(first: 20, query: $query, sortKey: CREATED_AT, reverse: true) { nodes { id status query } }
}"""
CANCEL = "mutation CancelBulk($id: ID!) { bulkOperationCancel(id: $id) { userErrors { field message } } }"
STAGE = """mutation StageUpload($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url parameters { name value } } userErrors { field message }
  }
}"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an operation came to its end."""

    status: str
    reason: str
    count: int
    url: str
    """Where the result is; "" where there is none."""


class Bulk:
    """One for a client. `clock` and `sleep` count seconds."""

    def __init__(
        self, client: Client, *, sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from backend.http import Http  # late: the web process starts without it

        self._client = client
        self._sleep = sleep
        self._clock = clock
        self._files = Http("Shopify", explain=_explain_file, sleep=sleep)

    def run_query(self, query: str) -> Lines:
        """The result of a bulk query, whole. Raises BulkFailed, RetryLater, InputRefused (it cannot run in bulk)."""
        for attempt in (1, 2):
            ended = self._wait(self._start(START, {"query": query}, "bulkOperationRunQuery", query))
            if ended.status == "COMPLETED":
                return self._lines(ended)
            log.info("shopify: a bulk query ended as %s (%s), attempt %d", ended.status, ended.reason, attempt)
        raise BulkFailed(f"Shopify could not finish a large read ({ended.status.lower()}, {ended.reason.lower()}).",
                         cure=RETRIED)

    def run_mutation(self, mutation: str, lines: Iterable[dict[str, Any]], name: str | None = None) -> dict[int, Any]:
        """What became of each line of variables, by its number from 0 on: Shopify's whole answer to it. A line that is
        not there is one of which nobody knows. `name` (10 characters or more) marks the operation at Shopify. Where
        the mutation takes @idempotent, give each line a key of its own among its variables.

        Raises InputRefused where it cannot run, RetryLater where it was certainly not started, OutcomeUnknown where
        that is not known."""
        with tempfile.TemporaryFile() as file:
            for line in lines:
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            if not file.tell():
                return {}
            if file.tell() > MOST_BYTES:
                raise InputRefused(f"The file of changes has {file.tell()} bytes, and Shopify takes {MOST_BYTES}.")
            path = self._upload(file)
        started = self._start(START_MUTATION, {"mutation": mutation, "path": path, "name": name},
                              "bulkOperationRunMutation", mutation)
        try:
            ended = self._wait(started)
            done = {int(line["__lineNumber"]): line for line in self._lines(ended)} if ended.url else {}
        except RetryLater as error:
            raise OutcomeUnknown("Shopify works off many changes, and how far it came is not known.",
                                 cure=LOOKED_AT) from error
        return done

    def cancel(self, operation: str) -> None:
        """Ask that an operation end. One that has ended already is none the worse."""
        self._client.run(CANCEL, {"id": operation})

    # --- the steps --------------------------------------------------------------------------------

    def _start(self, document: str, variables: dict[str, Any], root: str, text: str) -> str:
        """The id of a started operation. Where five run already, ours of the same text are cancelled, and their end
        waited for; whoever else's is waited for, too."""
        waited = 0.0
        for pause in _pauses():
            # A query that was started and lost runs to its end and is forgotten; a mutation must not start twice.
            payload = self._client.run(document, variables, writes=document == START_MUTATION).root(
                root, "bulk operations")
            refused = payload["userErrors"]
            if not refused:
                return str(payload["bulkOperation"]["id"])
            if any(one.get("code") != "OPERATION_IN_PROGRESS" for one in refused):
                raise InputRefused("; ".join(str(one["message"]) for one in refused))
            self._cancel_own("mutation" if document == START_MUTATION else "query", text)
            waited += pause
            if waited > 60:
                raise RetryLater("Shopify is busy with five bulk operations of this app already.", cure=RETRIED,
                                 retry_after=60.0)
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def _cancel_own(self, kind: str, text: str) -> None:
        if kind == "mutation":
            return  # what writes is never cancelled by somebody else: it may be a living worker's
        latest = self._client.run(LATEST, {"query": "operation_type:query"})
        for one in latest.root("bulkOperations", "bulk operations")["nodes"]:
            if one["query"] == text and one["status"] in ("CREATED", "RUNNING"):
                self.cancel(one["id"])

    def _wait(self, operation: str) -> Ended:
        begun = self._clock()
        for pause in _pauses():
            found = self._client.run(LOOK, {"id": operation}).root("bulkOperation", "bulk operations")
            if not isinstance(found, dict):
                raise RetryLater("Shopify knows nothing of a bulk operation that it has started.", cure=RETRIED)
            status = str(found["status"])
            if status in ("COMPLETED", "FAILED", "CANCELED", "EXPIRED"):
                return Ended(status, str(found["errorCode"] or status), int(found["objectCount"] or 0),
                             str(found["url"] or found["partialDataUrl"] or ""))
            if self._clock() - begun > PATIENCE_SECONDS:
                self.cancel(operation)
                raise RetryLater("Shopify did not finish a large read in time.", cure=RETRIED)
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def _lines(self, ended: Ended) -> Lines:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by Lines, or with it
        if ended.url:  # nothing was found: there is no file
            self._files.download(ended.url, file)
        lines = Lines(file)
        if ended.status == "COMPLETED" and ended.url and len(lines) < ended.count:
            lines.close()
            raise RetryLater(f"Shopify's file holds {len(lines)} of {ended.count} things.", cure=RETRIED)
        return lines

    def _upload(self, file: BinaryIO) -> str:
        payload = self._client.run(STAGE, {"input": [{
            "resource": "BULK_MUTATION_VARIABLES", "filename": "changes.jsonl", "mimeType": "text/jsonl",
            "httpMethod": "POST"}]}).root("stagedUploadsCreate", "uploads")
        if payload["userErrors"]:
            raise InputRefused("; ".join(str(one["message"]) for one in payload["userErrors"]))
        [target] = payload["stagedTargets"]
        fields = {str(one["name"]): str(one["value"]) for one in target["parameters"]}
        self._files.upload(target["url"], fields, "changes.jsonl", file)
        return fields["key"]


class Lines:
    """A file of JSON lines that is read as often as wanted, forwards or by place. Closed when it is let go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        self._count = sum(1 for line in file if line.strip())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.parsed(line) for _, line in self.placed())

    @staticmethod
    def parsed(line: bytes) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(line)
        return found

    def placed(self) -> Iterator[tuple[int, bytes]]:
        """Where each line begins, and the line."""
        self._file.seek(0)
        place = 0
        for line in self._file:
            if line.strip():
                yield place, line
            place += len(line)

    def at(self, place: int) -> dict[str, Any]:
        self._file.seek(place)
        return self.parsed(self._file.readline())

    def close(self) -> None:
        self._file.close()


def _pauses() -> Iterator[float]:
    yield from POLL_SECONDS
    while True:
        yield POLL_SECONDS[-1]


def _explain_file(response: requests.Response) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if status == 429 or status >= 500:
        raise RetryLater(f"Shopify's store of files has trouble (status {status}).", cure=RETRIED)
    raise BulkFailed(f"Shopify's store of files refused a file (status {status}).", cure=RETRIED)
