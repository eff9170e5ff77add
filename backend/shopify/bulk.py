"""Bulk operations: what Shopify works off by itself, outside of the rate limit (facts §4).

    run_query      bulkOperationRunQuery → poll → the file, line by line
    run_mutation   stagedUploadsCreate → upload → bulkOperationRunMutation → poll → what became of each line
    halt           ends what a run that is gone has left running

The file lies on another host and is fetched without the token, into a temporary file: a list of any size takes no
memory. Five of each kind run at a time for an app and store; where that is full, queries of the same text are our own,
left by a run that died, and are cancelled. A query that failed is started again once. Of a failed query nothing is
used, for half a list is no list; of a failed mutation what it had done (`partialDataUrl`) is told, and the rest is
unknown.

A mutation goes on at Shopify when whoever started it is gone. So each carries a mark in its own text, which stands in
the journal before it starts: by that it is found again, ended, and never started twice where its answer was lost.
"""

from __future__ import annotations

import logging
import math
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from backend.errors import (
    AccessError,
    BulkFailed,
    Cancelled,
    DatabaseAway,
    InputRefused,
    KeyRefused,
    OutcomeUnknown,
    RetryLater,
    SyncError,
)
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
LONGEST_SECONDS = 120.0
"""A file of changes that takes longer is cancelled: the look at what it writes over must not grow older."""
LANDING_SECONDS = 15.0
"""How long a start whose answer was lost is looked for: Shopify ends a request by itself after about ten."""
STOPPING_SECONDS = 120.0
"""How long the end of a cancelled operation is waited for."""
ENDED = ("COMPLETED", "FAILED", "CANCELED", "EXPIRED")

_SEEN = "id status errorCode objectCount url partialDataUrl query"
START = """mutation StartBulkQuery($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id } userErrors { field message code }
  }
}"""
START_MUTATION = """mutation StartBulkMutation($mutation: String!, $path: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $path) {
    bulkOperation { id } userErrors { field message code }
  }
}"""
LOOK = f"query LookAtBulk($id: ID!) {{ bulkOperation(id: $id) {{ {_SEEN} }} }}"
LATEST = """query LatestBulks($query: String!) {
  bulkOperations(first: 20, query: $query, sortKey: CREATED_AT, reverse: true) { nodes { id status query } }
}"""
_OF_ALL, _MINE = "nodes { id status query }", "operation_type:mutation"
MUTATIONS = f"""query BulkMutations {{
  newest: bulkOperations(first: 50, query: "{_MINE}", sortKey: CREATED_AT, reverse: true) {{ {_OF_ALL} }}
  created: bulkOperations(first: 10, query: "{_MINE} status:created") {{ {_OF_ALL} }}
  running: bulkOperations(first: 10, query: "{_MINE} status:running") {{ {_OF_ALL} }}
  canceling: bulkOperations(first: 10, query: "{_MINE} status:canceling") {{ {_OF_ALL} }}
}}"""
"""The newest as well as those that go on: a filter by status is a search, and searches lag behind."""
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


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a file of changes, which has ended for certain."""

    answers: dict[int, dict[str, Any]]
    """By line, from 0 on: Shopify's whole answer to it. Of a line that is not there nobody knows."""
    completed: bool
    seconds: float
    """How long it took, its start included."""


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

    def now(self) -> float:
        """Seconds, of whatever clock this waits by."""
        return self._clock()

    def run_query(self, query: str) -> Lines:
        """The result of a bulk query, whole. Raises BulkFailed, RetryLater, InputRefused (it cannot run in bulk)."""
        for attempt in (1, 2):
            ended = self._wait(self._start(query))
            if ended.status == "COMPLETED":
                return self._lines(ended)
            log.info("shopify: a bulk query ended as %s (%s), attempt %d", ended.status, ended.reason, attempt)
        raise BulkFailed(f"Shopify could not finish a large read ({ended.status.lower()}, {ended.reason.lower()}).",
                         cure=RETRIED)

    def run_mutation(
        self, mutation: str, lines: Iterable[dict[str, Any]], mark: str,
        going_on: Callable[[int], None] = lambda done: None, start_by: float = math.inf,
    ) -> Ran:
        """Let `mutation` run once for each line of variables. `mark` is a part of its text by which it is found again:
        nothing else of anybody's may hold it. `start_by`, by the clock of `now`: it is not started later.

        `going_on` is told again and again how many lines are done. Where it raises Cancelled the operation is
        cancelled, and what it had done is told; where it raises anything else, that is raised. Raises BulkFailed where
        nothing was started for certain, OutcomeUnknown where that, or how it ended, is not known."""
        try:
            path = self._uploaded(lines)
        except (InputRefused, AccessError, RetryLater) as error:
            raise _not_started(error) from error
        if not path:
            return Ran({}, True, 0.0)
        begun = self._clock()
        if begun > start_by:
            raise BulkFailed("The upload of many changes took so long that what they go over may be another by now.",
                             cure=RETRIED)
        started = self._begin(mutation, path, mark)
        try:
            ended = self._follow(started, going_on)
            answers = self._answers(ended)
        except DatabaseAway:
            raise
        except RetryLater as error:
            raise _unknown() from error
        log.info("shopify: a file of changes ended as %s with %d answers", ended.status, len(answers))
        return Ran(answers, ended.status == "COMPLETED", self._clock() - begun)

    def halt(self, marks: Collection[str], going_on: Callable[[int], None] = lambda done: None) -> int:
        """End every mutation that goes on and whose text holds one of `marks`; how many there were. When this returns
        nothing of them can happen any more. Raises RetryLater where that takes too long, and what `going_on` raises."""
        found = [one["id"] for one in self._marked(marks) if one["status"] not in ENDED]
        for operation in found:
            log.warning("shopify: a file of changes of an earlier run goes on, and is cancelled: %s", operation)
            self.cancel(operation)
            begun = self._clock()
            for pause in _pauses():
                if str(self._look(operation)["status"]) in ENDED:
                    break
                if self._clock() - begun > STOPPING_SECONDS:
                    raise RetryLater("Shopify is still working off changes of an earlier sync.", cure=RETRIED,
                                     retry_after=60.0)
                self._sleep(pause)
                going_on(0)
        return len(found)

    def cancel(self, operation: str) -> None:
        """Ask that an operation end. One that has ended already is none the worse."""
        self._client.run(CANCEL, {"id": operation})

    # --- the steps --------------------------------------------------------------------------------

    def _start(self, query: str) -> str:
        """The id of a started query. Where five run already, ours of the same text are cancelled, and their end
        waited for; whoever else's is waited for, too. One whose answer is lost runs to its end and is forgotten."""
        waited = 0.0
        for pause in _pauses():
            payload = self._client.run(START, {"query": query}).root("bulkOperationRunQuery", "bulk operations")
            refused = payload["userErrors"]
            if not refused:
                return str(payload["bulkOperation"]["id"])
            if any(one.get("code") != "OPERATION_IN_PROGRESS" for one in refused):
                raise InputRefused("; ".join(str(one["message"]) for one in refused))
            self._cancel_own(query)
            waited += pause
            if waited > 60:
                raise RetryLater("Shopify is busy with five bulk operations of this app already.", cure=RETRIED,
                                 retry_after=60.0)
            self._sleep(pause)
        raise AssertionError("pauses never end")

    def _cancel_own(self, text: str) -> None:
        latest = self._client.run(LATEST, {"query": "operation_type:query"})
        for one in latest.root("bulkOperations", "bulk operations")["nodes"]:
            if one["query"] == text and one["status"] in ("CREATED", "RUNNING"):
                self.cancel(one["id"])

    def _begin(self, mutation: str, path: str, mark: str) -> str:
        """The id of a started mutation. Sent once: where its answer is lost it is looked for by its mark."""
        root = "bulkOperationRunMutation"
        self._client.before_write()
        try:
            answer = self._client.run(START_MUTATION, {"mutation": mutation, "path": path}, writes=True)
        except OutcomeUnknown:
            return self._landed(mark)
        except (InputRefused, AccessError, RetryLater) as error:
            raise _not_started(error) from error
        payload, problem = answer.data.get(root), answer.problem_at(root)
        if isinstance(payload, dict) and payload.get("userErrors"):
            # Five run already, or it may not run in bulk: whoever else's they are, they are left alone.
            raise BulkFailed("; ".join(str(one["message"]) for one in payload["userErrors"]), cure=RETRIED)
        if not isinstance(payload, dict) and problem is not None and not (problem.is_outage or problem.is_within):
            raise BulkFailed(problem.message, cure=RETRIED)
        started = payload.get("bulkOperation") if isinstance(payload, dict) else None
        return str(started["id"]) if isinstance(started, dict) and started.get("id") else self._landed(mark)

    def _landed(self, mark: str) -> str:
        """The id of a mutation whose start was not heard of. Raises OutcomeUnknown where it does not show up."""
        waited = 0.0
        try:
            for pause in _pauses():
                found = self._marked([mark])
                if found:
                    self._client.was_written()
                    return str(found[0]["id"])
                if waited > LANDING_SECONDS:
                    break
                waited += pause
                self._sleep(pause)
        except SyncError as error:
            log.info("shopify: a file of changes could not be looked for: %s", error.message)
        raise OutcomeUnknown("Shopify was given many changes at once, and its answer was lost.", cure=LOOKED_AT)

    def _marked(self, marks: Collection[str]) -> list[dict[str, Any]]:
        answer = self._client.run(MUTATIONS, {})
        listed = {one["id"]: one for name in ("newest", "created", "running", "canceling")
                  for one in answer.root(name, "bulk operations")["nodes"]}
        return [one for one in listed.values() if any(mark in one["query"] for mark in marks)]

    def _follow(self, operation: str, going_on: Callable[[int], None]) -> Ended:
        """How a mutation ended. It is cancelled where somebody wants the run to end, and where it takes too long."""
        begun, stopped = self._clock(), None
        for pause in _pauses():
            found = self._look(operation)
            if str(found["status"]) in ENDED:
                return _ended(found)
            self._sleep(pause)
            stop = self._clock() - begun > LONGEST_SECONDS
            try:
                going_on(int(found["objectCount"] or 0))
            except Cancelled:
                stop = True
            except SyncError:
                # Whoever goes on ends it, too; so much less happens until then.
                self._try_to_cancel(operation)
                raise
            if stop and stopped is None:
                stopped = self._clock()
                self.cancel(operation)
            if stopped is not None and self._clock() - stopped > STOPPING_SECONDS:
                raise _unknown()
        raise AssertionError("pauses never end")

    def _try_to_cancel(self, operation: str) -> None:
        try:
            self.cancel(operation)
        except SyncError as error:
            log.info("shopify: a file of changes could not be cancelled: %s", error.message)

    def _answers(self, ended: Ended) -> dict[int, dict[str, Any]]:
        """What became of each line, by its number. A file that cannot be had, or is cut, tells of fewer."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by Lines
        try:
            if ended.url:
                self._files.download(ended.url, file)
        except (BulkFailed, RetryLater) as error:
            log.warning("shopify: what became of a file of changes cannot be read: %s", error.message)
            file.truncate(0)
        lines = Lines(file)
        answers = {}
        for _, text in lines.placed():
            try:
                line = lines.parsed(text)
                answers[int(line["__lineNumber"])] = line
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                log.warning("shopify: a line of what became of a file of changes cannot be read")
        lines.close()
        return answers

    def _look(self, operation: str) -> dict[str, Any]:
        found = self._client.run(LOOK, {"id": operation}).root("bulkOperation", "bulk operations")
        if not isinstance(found, dict):
            raise RetryLater("Shopify knows nothing of a bulk operation that it has started.", cure=RETRIED)
        return found

    def _wait(self, operation: str) -> Ended:
        begun = self._clock()
        for pause in _pauses():
            found = self._look(operation)
            if str(found["status"]) in ENDED:
                return _ended(found)
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

    def _uploaded(self, lines: Iterable[dict[str, Any]]) -> str:
        """Where Shopify finds a file of these lines; "" where there are none."""
        with tempfile.TemporaryFile() as file:
            for line in lines:
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            if file.tell() > MOST_BYTES:
                raise InputRefused(f"The file of changes has {file.tell()} bytes, and Shopify takes {MOST_BYTES}.")
            return self._upload(file) if file.tell() else ""

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
        blank = list(map(bytes.isspace, file))
        self._count = len(blank) - sum(blank)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.parsed(line) for _, line in self.placed())

    @staticmethod
    def parsed(line: bytes) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(line)
        return found

    def texts(self) -> Iterator[bytes]:
        """The lines as they are."""
        self._file.seek(0)
        return filterfalse(bytes.isspace, self._file)

    def placed(self) -> Iterator[tuple[int, bytes]]:
        """Where each line begins, and the line."""
        self._file.seek(0)
        place = 0
        for line in self._file:
            if line.strip():
                yield place, line
            place += len(line)

    def at(self, place: int) -> bytes:
        self._file.seek(place)
        return self._file.readline()

    def close(self) -> None:
        self._file.close()


def _ended(found: dict[str, Any]) -> Ended:
    status = str(found["status"])
    return Ended(status, str(found["errorCode"] or status), int(found["objectCount"] or 0),
                 str(found["url"] or found["partialDataUrl"] or ""))


def _unknown() -> OutcomeUnknown:
    return OutcomeUnknown("Shopify works off many changes, and how far it came is not known.", cure=LOOKED_AT)


def _not_started(error: SyncError) -> SyncError:
    """What is raised where nothing was begun: what concerns more than this one operation stays what it is."""
    if isinstance(error, DatabaseAway | KeyRefused | OutcomeUnknown):
        return error
    return BulkFailed(error.message, cure=error.cure)


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
