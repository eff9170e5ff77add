"""The web face: the API of the widget, the widget's files, and the pages around them.

    app = create_app()                                     # settings from the environment, as wsgi.py does
    app = create_app(settings, config, start_worker=False) # in tests: nothing runs but the requests
"""

from __future__ import annotations

import atexit
import os

from flask import Flask

from backend.app import Context, read_config
from backend.config import Config
from backend.settings import Settings
from backend.web import (
    acting,
    api,
    aside,
    background,
    connect,
    health,
    hooks,
    hooks_grist,
    hooks_shopify,
    mapping_api,
    metrics,
    pages,
)
from backend.web.errors import handle_errors
from backend.web.headers import behind_proxy, set_headers
from backend.web.service import EXTENSION, Service, open_service

VIEWS = (background, connect, health, hooks, hooks_grist, hooks_shopify, metrics)
"""Modules that hang their addresses on `api.bp` when they are imported."""

LARGEST_BODY_BYTES = 65_536


def create_app(settings: Settings | None = None, config: Config | None = None, *, start_worker: bool = True) -> Flask:
    """The WSGI application, with the worker that does its runs.

    Without `settings` both come from the environment. Raises SyncError where settings, sync.yaml or database cannot
    be used at all; a configuration that merely gives no link is told on the pages instead.
    """
    if settings is None:
        settings = Settings.from_environment()
        config = config or read_config(settings)
    here = open_service(Context.open(settings, config), config)
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES)
    app.extensions[EXTENSION] = here
    handle_errors(app)
    assert all(vars(one)["bp"] is api.bp for one in (acting, mapping_api)), "their views stand in the same blueprint"
    for blueprint in (api.bp, aside.bp, pages.bp, hooks.bp, metrics.bp):
        app.register_blueprint(blueprint)
    grist_urls = [settings.grist_public_url or settings.grist_server_url, here.server_url]
    metrics.watch(app)
    set_headers(app, grist_urls, settings.allowed_origins, pages.STYLE)
    app.extensions[aside.EXTENSION] = aside.Aside(app.wsgi_app, lambda: here.database)
    app.wsgi_app = app.extensions[aside.EXTENSION]  # type: ignore[method-assign]
    behind_proxy(app, os.environ)
    if start_worker:
        _start_worker(here)
    return app


def _start_worker(here: Service) -> None:
    from backend.jobs.supervisor import Supervisor

    supervisor = Supervisor()
    supervisor.start()
    here.poke = supervisor.poke
    atexit.register(supervisor.stop)
