"""What Prometheus may ask at /metrics.

    from the database   runs, rows, requests, points, the queue: of all processes and machines together
    from this machine   webhooks and pages: of all web processes together, where PROMETHEUS_MULTIPROC_DIR names a folder
                        (gunicorn.conf.py makes one)

Labels are words of ours: no link, store, document or customer is named.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, request

from backend.store import health, tally
from backend.store.db import Database
from backend.web.errors import Refused
from backend.web.service import service

if TYPE_CHECKING:
    from prometheus_client.core import Metric

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5)

bp = Blueprint("metrics", __name__)

_SUMS = {
    "runs": ("sync_runs", "Runs that ended", ("kind", "state")),
    "run_seconds": ("sync_run_seconds", "Time spent in runs", ("kind",)),
    "rows": ("sync_rows", "Rows by what became of them in syncs", ("became",)),
    "requests": ("sync_requests", "Requests sent to a service", ("service",)),
    "points": ("sync_points", "Points of Shopify's budget that were used", ("service",)),
}


class _Own:
    """What this process counts."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry = CollectorRegistry()
        self.hooks = Counter("sync_webhooks", "Webhooks that came, by side and status", ["side", "status"],
                             registry=self.registry)
        self.hook_seconds = Histogram("sync_webhook_seconds", "How long a webhook waited for its answer", ["side"],
                                      buckets=BUCKETS, registry=self.registry)
        self.pages = Histogram("sync_http_seconds", "How long a request of the widget waited for its answer",
                               ["method", "status"], buckets=BUCKETS, registry=self.registry)


def own() -> _Own:
    """Made for the first thing that is counted: the web process starts without Prometheus."""
    with _making:  # two would count apart
        return _made()


_making = threading.Lock()
_made = cache(_Own)


def hook(side: str, status: int, seconds: float) -> None:
    own().hooks.labels(side, str(status)).inc()
    own().hook_seconds.labels(side).observe(seconds)


def watch(app: Flask) -> None:
    """Measure how long every request of the API waits."""
    @app.before_request
    def begin() -> None:
        request.environ["metrics.began"] = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.path.startswith("/api/") and "metrics.began" in request.environ:
            seconds = time.perf_counter() - request.environ["metrics.began"]
            own().pages.labels(request.method, str(response.status_code)).observe(seconds)
        return response


@bp.get("/metrics")
def metrics() -> Response:
    """For whoever has METRICS_TOKEN; without one, for this machine alone."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

    here = service()
    _check(here.context.settings.metrics_token.reveal())
    registry = CollectorRegistry()
    registry.register(_Stored(here.database))
    text = generate_latest(registry)
    if os.environ.get(FOLDER):
        shared = CollectorRegistry()
        multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        text += generate_latest(shared)
    else:
        text += generate_latest(own().registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _check(token: str) -> None:
    """Raises Refused."""
    if token:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
            raise Refused(401, "token", "This page needs the token of METRICS_TOKEN.", "Send it as a bearer token.")
        return
    # Behind a router everybody comes from the same address, and the router says that it stands there.
    proxied = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    try:
        near = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        near = False
    if proxied or not near:
        raise Refused(404, "not_found", "There is nothing at this address.",
                      "Set METRICS_TOKEN to read the metrics from afar.")


class _Stored:
    """What the database counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        with self._database.read() as tx:
            sums, now = tally.sums(tx), health.whole_queue(tx)
        yield from _sums(sums)
        for name, (value, text) in now.items():
            yield GaugeMetricFamily(f"sync_{name}", text, value=value)


def _sums(sums: dict[str, dict[str, float]]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    for name, (metric, text, labels) in _SUMS.items():
        family = CounterMetricFamily(metric, text, labels=labels)
        for label, value in sorted(sums.get(name, {}).items()):
            family.add_metric(label.split(","), value)
        yield family
