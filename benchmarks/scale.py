"""A thousand links on one Postgres, done by one, two and four worker processes: `python -m benchmarks.scale`.

    once        a first sync and quiet ones against the stand-ins, every answer recorded
    a thousand  copies of that link, its mappings and pairs, over fifty stores
    replayed    a small server gives the recorded answers, each after 200 ms: what is measured is our work, not theirs
    measured    all links due at once; runs that ended in a window, processor time of the workers, two at once of a link

Needs the tests' requirements (a Postgres out of a wheel), or TEST_DATABASE_URL. Bounded: --links, --seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.utils import formatdate
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from backend.app import Context, read_config
from backend.jobs.child import Worker
from backend.settings import Settings
from backend.store import runs
from backend.store.tables import link, mapping, pair, run
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "LoadTestDocument000001"
STORES = 50
WARM = 2
"""Runs that each worker has done before anything is measured."""
CONFIG = """\
mappings:
  - {resource: products, fields: {title: Title, handle: Handle}}
  - {resource: variants, fields: {product: Product, sku: SKU, price: Price}}
"""
Recorded = dict[str, tuple[int, str, bytes]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--links", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--delay", type=float, default=0.2)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sync-scale-")))
        database_url = stack.enter_context(_postgres())
        recorded, environment, link_id = _record(folder, database_url)
        replay_url = stack.enter_context(_replaying(recorded, options.delay))
        environment |= {"SHOPIFY_ADMIN_URL": replay_url, "GRIST_SERVER_URL": replay_url, "SYNC_INTERVAL": "1d"}
        context = Context.open(Settings.from_environment(environment, folder / "no.env"))
        _copy(context, link_id, options.links, replay_url)
        print(f"{options.links} links of {STORES} stores, services answer after {options.delay * 1000:.0f} ms; "
              f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
        for at_once in options.at_once:
            first = 0.0
            for number in options.workers:
                found = _measure(context, environment, folder, number, at_once, options.seconds)
                first = first or found["runs_per_second"]
                print(f"{number} workers × {at_once} at once: {found['runs_per_second']:.2f} runs/s "
                      f"({found['runs_per_second'] / first:.2f} ×), {found['cpu_ms']:.0f} ms of processor a run, "
                      f"median run {found['median_seconds']:.2f} s, failed {found['failed']}, "
                      f"two at once {found['overlapping']}", flush=True)
        context.database.dispose()
    return 0


@contextmanager
def _postgres() -> Iterator[str]:
    sys.path.insert(0, str(ROOT / "tests"))
    from databases import OwnServer, Server  # type: ignore[import-not-found]

    named = os.environ.get("TEST_DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="sync-scale-pg-") as parent:
        server = Server(named) if named else OwnServer(Path(parent) / "one")
        try:
            yield server.empty()
        finally:
            server.drop_all()
            if not named:
                server.stop()


# --- recording and replaying ----------------------------------------------------------------------


def _key(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same: documents and moments do not."""
    text = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)?", b"T", body).decode("utf-8", "replace")
    return f"{method} {re.sub(r'LoadTestDocument[0-9]+', 'DOC', path)} {text}"


def _record(folder: Path, database_url: str) -> tuple[Recorded, dict[str, str], int]:
    """A first sync and three quiet ones; what the services answered, and the link."""
    recorded: Recorded = {}

    def listening(app: Callable[..., Any]) -> Callable[..., Any]:
        def listen(environ: dict[str, Any], start_response: Any) -> Any:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")
            told: list[Any] = []
            answer = b"".join(app(environ, lambda status, headers, exc=None: told.extend([status, headers])))
            kind = dict(told[1]).get("Content-Type", "application/json")
            recorded[_key(environ["REQUEST_METHOD"], path, body)] = (int(told[0].split()[0]), kind, answer)
            start_response(told[0], told[1])
            return [answer]
        return listen

    grist = Grist()
    grist.new_document("Shop", DOCUMENT)
    grist.add_key("key", role="owner")
    config = folder / "sync.yaml"
    config.write_text(CONFIG)
    with serving(listening(store_app(Store(products=3, seed=1)))) as store, serving(listening(grist_app(grist))) as doc:
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SHOPIFY_STORE": "load.myshopify.com",
            "SHOPIFY_ADMIN_URL": store, "SHOPIFY_ACCESS_TOKEN": "shpat_demo", "GRIST_SERVER_URL": doc,
            "GRIST_API_KEY": "key", "GRIST_DOC_ID": DOCUMENT, "DATABASE_URL": database_url, "LOG_LEVEL": "ERROR",
        }
        settings = Settings.from_environment({**environment, "SYNC_CONFIG": str(config)}, folder / "no.env")
        context = Context.open(settings, read_config(settings))
        found = context.ensure_link(read_config(settings))
        worker = Worker(context)
        for _ in range(4):
            with context.database.write() as tx:
                run_id = runs.request(tx, found.id, "sync", "Load test")
            worker.step()
            with context.database.read() as tx:
                done = runs.get(tx, run_id)
            assert done is not None
            assert done.state == "done", done.message
        print(f"a quiet run: {(done.report or {})['requests']}")
        context.database.dispose()
    return recorded, environment, found.id


@contextmanager
def _replaying(recorded: Recorded, delay: float) -> Iterator[str]:
    """The address of a process that gives recorded answers, each after `delay` seconds."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_replay, args=(recorded, delay, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join(10)


def _replay(recorded: Recorded, delay: float, pipe: Any) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ", 2)
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, kind, answer = recorded.get(_key(method, path, body)) or (
                    500, "text/plain", f"not recorded: {method} {path} {body[:300]!r}".encode())
                if status == 500:
                    print(answer.decode(), file=sys.stderr, flush=True)
                await asyncio.sleep(delay)
                # Without a date nobody knows the store's time, and every run would be a first one.
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n"
                             f"Date: {formatdate(usegmt=True)}\r\nX-Shopify-API-Version: 2026-10\r\n\r\n"
                             .encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def go() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(go())


# --- a thousand -----------------------------------------------------------------------------------


def _copy(context: Context, link_id: int, number: int, server_url: str) -> None:
    """`number` links like this one, each with a document of its own; the first one goes."""
    with context.database.write() as tx:
        one = dict(tx.execute(sa.select(link).where(link.c.id == link_id)).mappings().one())
        mappings = [dict(row) for row in tx.execute(sa.select(mapping).where(mapping.c.link_id == link_id)).mappings()]
        pairs = {row["id"]: [dict(held) for held in tx.execute(
            sa.select(pair).where(pair.c.mapping_id == row["id"])).mappings()] for row in mappings}
        for count in range(number):
            values = {**one, "store": f"load-{count % STORES}.myshopify.com", "server_url": server_url,
                      "document": f"LoadTestDocument{count:06d}", "key": f"key-{count}",
                      "interval_seconds": 86_400, "due_at": 4e9}
            del values["id"]
            made = tx.execute(sa.insert(link).values(values)).inserted_primary_key[0]  # type: ignore[index]
            for row in mappings:
                new = {**row, "link_id": made}
                del new["id"]
                mapping_id = tx.execute(sa.insert(mapping).values(new)).inserted_primary_key[0]  # type: ignore[index]
                copies = [{name: value for name, value in held.items() if name != "id"} | {"mapping_id": mapping_id}
                          for held in pairs[row["id"]]]
                if copies:
                    tx.execute(sa.insert(pair), copies)
        tx.execute(sa.delete(link).where(link.c.id == link_id))


# --- measuring ------------------------------------------------------------------------------------


def _measure(context: Context, environment: dict[str, str], folder: Path, number: int, at_once: int, seconds: float
             ) -> dict[str, Any]:
    with context.database.write() as tx:
        tx.execute(sa.delete(run))
        tx.execute(sa.update(link).values(due_at=0, failures=0))
    environment = environment | {"SYNC_AT_ONCE": str(at_once)}
    command = [sys.executable, "-m", "backend.jobs.child"]
    children = [subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.PIPE) for _ in range(number)]
    try:
        _until_all_work(context, number)
        began, cpu = _now(context), sum(_cpu(child.pid) for child in children)
        time.sleep(seconds)
        ended, cpu = _now(context), sum(_cpu(child.pid) for child in children) - cpu
    finally:
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
        for child in children:
            child.wait(60)
    with context.database.read() as tx:
        done = tx.execute(sa.select(run.c.link_id, run.c.state, run.c.started_at, run.c.finished_at).where(
            run.c.started_at.is_not(None))).all()
    inside = [one for one in done if one.finished_at and began <= one.finished_at <= ended]
    lengths = sorted(one.finished_at - one.started_at for one in inside)
    return {
        "runs_per_second": len(inside) / (ended - began), "cpu_ms": cpu * 1000 / max(1, len(inside)),
        "median_seconds": lengths[len(lengths) // 2] if lengths else 0.0,
        "failed": sum(one.state == "failed" for one in inside), "overlapping": _overlapping(done),
    }


def _until_all_work(context: Context, number: int) -> None:
    """Until each worker has done some: a process that begins imports, and puts its statements into words, once."""
    done = sa.select(run.c.owner).where(run.c.state == "done").group_by(run.c.owner).having(sa.func.count() >= WARM)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with context.database.read() as tx:
            owners = len(tx.execute(done).all())
        if owners >= number:
            return
        time.sleep(0.1)
    raise SystemExit("The workers did not begin within two minutes.")


def _now(context: Context) -> float:
    with context.database.read() as tx:
        return runs.clock(tx)


def _overlapping(done: Any) -> int:
    """How often two runs of one link went on at the same time."""
    by_link: dict[int, list[tuple[float, float]]] = {}
    for one in done:
        by_link.setdefault(one.link_id, []).append((one.started_at, one.finished_at or float("inf")))
    return sum(later[0] < earlier[1] for spans in by_link.values()
               for earlier, later in zip(sorted(spans), sorted(spans)[1:], strict=False))


def _cpu(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
