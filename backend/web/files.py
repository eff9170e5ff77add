"""Files of the widget, small on their way: each is packed once a process, and sent again only when it has changed."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Response, request, send_from_directory

PACKED = frozenset({"text/javascript", "text/css", "application/json", "text/html", "text/plain"})


def send(folder: Path, name: str, max_age: int = 0) -> Response:
    """A file below `folder`, packed for whoever takes gzip. Raises NotFound for a name that is none or leads elsewhere.

    `max_age` 0 means: ask each time whether it changed, so that an update of the service reaches the widget at once.
    """
    response = send_from_directory(folder, name, max_age=max_age, conditional=False)
    packs = response.mimetype in PACKED
    if packs:
        response.vary.add("Accept-Encoding")
    if packs and request.accept_encodings["gzip"] > 0:
        path = folder / name
        response.direct_passthrough = False
        packed = _packed(path, path.stat().st_mtime_ns)
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        response.set_etag(hashlib.sha256(packed).hexdigest()[:32])
    response.make_conditional(request)
    return response


@lru_cache(maxsize=256)
def _packed(path: Path, changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
