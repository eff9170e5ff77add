"""`audit_vs_floor`, `import_vs_floor`: what we need for all rows, over what nobody can do without.

    audit    floor: fetch what a full audit fetches, decode the JSON
    import   floor: fetch the variants in bulk, decode them, add the rows

Both are asked of the same stand-ins, which give prepared answers where they only read; the document takes as long for
new rows as Grist does. By turns, so that the machine's mood strikes both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import orjson
import requests

from benchmarks.stage import Asked, Stage, Tell, linked, shop, twelve_fields_of_variants

TURNS = 3
SECONDS_A_ROW = 3 / 10_000
"""Of an action that adds rows, in a real Grist."""
ROWS_AT_ONCE = 2_000
SMALL_BYTES = 1_000
"""What is shorter holds no rows."""


def measure(size: int, tell: Tell) -> dict[str, float]:
    with shop(size, orders=0) as (store, answers, url):
        answers.keeps = True
        mappings = twelve_fields_of_variants()
        with linked(store, answers, url, mappings, served=_slow) as first:
            first.first_sync(tell)  # from here on the store's answers are prepared
        with linked(store, answers, url, mappings, served=_slow) as second:
            answers.asked.clear()
            took = second.first_sync(tell)
            floor = _import_floor(second)
            tell(f"import: {took.seconds:.2f} s, floor {floor:.2f} s")
            return {"import_vs_floor": took.seconds / floor, "audit_vs_floor": _audit(second, tell)}


def _audit(one: Stage, tell: Tell) -> float:
    one.settle()
    one.grist.keeps = True
    one.run(everything=True)  # what it asks is kept
    one.grist.asked.clear()
    one.shopify.asked.clear()
    one.run(everything=True)
    reads = _reads(one)

    def fetch() -> float:
        began = time.perf_counter()
        _fetch(reads)
        return time.perf_counter() - began

    turns = []
    for _ in range(TURNS):
        took = one.run(everything=True)
        report = one.report_of(took, "variants")
        assert report.unchanged == one.variants, f"only {report.unchanged} rows were unchanged"
        turns.append((took.seconds, took.served_seconds, fetch()))
    ours, served, floor = min(turns)
    tell(f"audit: {ours:.2f} s, of them the stand-ins {served:.2f} s; floor {floor:.2f} s, "
         f"{sum(asked.answered_bytes for _, asked in reads) / 1e6:.1f} MB in {len(reads)} answers")
    return statistics.median(ours / floor for ours, _, floor in turns)


def _import_floor(one: Stage) -> float:
    """What the import fetched of the store, and the rows that it made into another table of the same document."""
    reads = [(base, asked) for base, asked in _reads(one) if base == one.environment["SHOPIFY_ADMIN_URL"]]
    rows = list(one.document.table("Variants").rows())
    names = [name for name in rows[0] if name not in ("id", "manualSort")]
    bodies = [orjson.dumps([["BulkAddRecord", "Floor", [None] * len(part), {
        name: [row[name] for row in part] for name in names}]])
        for part in (rows[start:start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))]
    one.document.apply([["AddTable", "Floor", [{"id": name, "type": "Any", "isFormula": False} for name in names]]])
    server, doc = one.environment["GRIST_SERVER_URL"], one.environment["GRIST_DOC_ID"]
    session = requests.Session()
    began = time.perf_counter()
    _fetch(reads)
    for body in bodies:
        session.post(f"{server}/api/docs/{doc}/apply?noparse=1", data=body, timeout=120, headers={
            "Authorization": "Bearer key", "Content-Type": "application/json"}).raise_for_status()
    return time.perf_counter() - began


def _reads(one: Stage) -> list[tuple[str, Asked]]:
    """The requests, with their servers, whose answers hold rows, each once."""
    services = (one.environment["GRIST_SERVER_URL"], one.grist), (one.environment["SHOPIFY_ADMIN_URL"], one.shopify)
    return [(url, asked) for url, service in services
            for asked in {(a.method, a.path, a.body): a for a in service.asked}.values()
            if asked.answered_bytes > SMALL_BYTES and "/apply" not in asked.path]


def _fetch(reads: list[tuple[str, Asked]]) -> None:
    """Fetch and decode: JSON, or a line of JSON for each thing."""
    session = requests.Session()
    session.headers.update({"Authorization": "Bearer key", "X-Shopify-Access-Token": "shpat_demo",
                            "Content-Type": "application/json"})
    for url, asked in reads:
        answer = session.request(asked.method, url + asked.path, data=asked.body, timeout=120)
        answer.raise_for_status()
        for part in answer.content.splitlines() if b"\n{" in answer.content else [answer.content]:
            orjson.loads(part)


def _slow(app: Callable[..., Any]) -> Callable[..., Any]:
    """The stand-in, which takes at least as long for the rows it is given as Grist does."""
    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].endswith("/apply"):
            return app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        rows = sum(len(action[2]) for action in orjson.loads(body) if action[0] == "BulkAddRecord")
        began = time.perf_counter()
        answer = app(environ, start_response)
        time.sleep(max(0.0, rows * SECONDS_A_ROW - (time.perf_counter() - began)))
        return answer
    return serve
