"""What browsers are told about every page: who may frame it, where its scripts come from, who may read an answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

HSTS = "max-age=31536000"
PREFLIGHT_SECONDS = 600
PROXIED_HOSTS = ("DYNO", "RENDER", "TRUST_PROXY")
"""Environment variables that say that exactly one router stands before us and tells the browser's real address."""


def origin(url: str) -> str:
    """`https://grist.example/o/team` → `https://grist.example`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def set_headers(app: Flask, grist_urls: Iterable[str], allowed_origins: Iterable[str], style: str) -> None:
    """Add the headers to every answer of `app`. `grist_urls` may frame the widget; `style` is the one style sheet
    that our own plain pages hold; `allowed_origins` may call the API from other sites."""
    grist = " ".join(dict.fromkeys(origin(url) for url in grist_urls))
    allowed = frozenset(one.rstrip("/") for one in allowed_origins)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    widget = (
        # Grist's plugin API writes the theme's colours into a style element, hence 'unsafe-inline' for styles alone.
        f"default-src 'none'; script-src 'self' {grist}; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        f"img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {grist}"
    )
    pages = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = widget if request.path.startswith("/widget/") else pages
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        if request.is_secure:
            headers["Strict-Transport-Security"] = HSTS
        if request.path.startswith("/api/"):
            share(response, allowed)
        return response


def behind_proxy(app: Flask, environ: Dict[str, str]) -> None:
    """Believe one router's word about scheme, host and address, on hosts that are known to have one."""
    if any(environ.get(name) for name in PROXIED_HOSTS):
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]


def share(response: Response, allowed: frozenset[str]) -> None:
    """Let pages of the allowed origins read this answer: a widget that is served from elsewhere."""
    if not allowed:
        return
    response.vary.add("Origin")
    asked = request.headers.get("Origin", "")
    if asked not in allowed:
        return
    response.headers["Access-Control-Allow-Origin"] = asked
    response.headers["Access-Control-Expose-Headers"] = "ETag, Retry-After"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match, If-None-Match"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
