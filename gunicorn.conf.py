"""gunicorn: one process with threads. The runs are done by a child of its own (backend/jobs/supervisor.py).

The figures of all web processes meet in a folder that lives as long as the server: /metrics adds them up.
"""

import os
import shutil
import tempfile

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = 8
timeout = 60
graceful_timeout = 25
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_made = ""
if not os.environ.get(_FOLDER):
    # Before the first worker is made, for prometheus-client reads it when it is imported.
    _made = tempfile.mkdtemp(prefix="sync-metrics-")
    os.environ[_FOLDER] = _made


def child_exit(server, worker):
    """What a process that ended has counted stays; its gauges go."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    if _made:
        shutil.rmtree(_made, ignore_errors=True)
