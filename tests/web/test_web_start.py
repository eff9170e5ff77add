"""Starting: the worker beside the web process, and a setting that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from web_helpers import STORE, config

from backend.settings import Settings
from backend.store.db import Database
from backend.web import create_app
from backend.web.service import EXTENSION

ROOT = Path(__file__).resolve().parents[2]


class Supervisor:
    """What backend.jobs.supervisor gives, without a process."""

    said: list[str]

    def start(self) -> None:
        Supervisor.said = ["start"]

    def poke(self) -> None:
        Supervisor.said.append("poke")

    def stop(self) -> None:
        Supervisor.said.append("stop")


def test_the_worker_starts_with_the_app_and_is_woken_by_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.jobs.supervisor.Supervisor", Supervisor)
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'sync.db'}"))
    app.extensions[EXTENSION].poke()
    assert Supervisor.said == ["start", "poke"]


def test_a_link_is_there_at_once_where_the_environment_names_everything(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from web_helpers import CONFIG

    (tmp_path / "sync.yaml").write_text(CONFIG)
    for name, value in {"SHOPIFY_STORE": STORE, "GRIST_DOC_ID": "abcdefghijklmnopqrstuv",
                        "SYNC_CONFIG": str(tmp_path / "sync.yaml"),
                        "DATABASE_URL": f"sqlite:///{tmp_path / 'sync.db'}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    app = create_app(start_worker=False)
    assert "A store and a document are connected." in app.test_client().get("/").text


def test_mappings_of_an_earlier_start_are_enough(tmp_path: Path) -> None:
    settings = Settings(shopify_store=STORE, grist_document="abcdefghijklmnopqrstuv",
                        database_url=f"sqlite:///{tmp_path / 'sync.db'}")
    create_app(settings, config(), start_worker=False)
    again = create_app(settings, None, start_worker=False).extensions[EXTENSION]
    assert (again.configured, again.trouble) == (True, None)


def test_no_document_is_made_at_a_start_where_only_a_workspace_is_named(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.app.create_document", lambda *_: pytest.fail("a document was made"))
    settings = Settings(shopify_store=STORE, grist_workspace="2", database_url=f"sqlite:///{tmp_path / 'sync.db'}")
    assert not create_app(settings, config(), start_worker=False).extensions[EXTENSION].configured


LATE = {
    # What a run needs, and what asks a service: the worker has them, and here whoever asks first.
    "backend.engine", "backend.session", "backend.connector", "backend.http", "backend.grist.connector",
    "backend.grist.webhooks", "backend.shopify.connector", "backend.shopify.trial", "backend.shopify.webhooks",
    "graphql", "requests", "tenacity", "urllib3",
    # What only some installations have: a key, a .env file, another database, somebody who asks for figures.
    "cryptography", "dotenv", "prometheus_client", "sqlalchemy.dialects.postgresql",
    # What a database of the newest form does without.
    "alembic", "backend.store.partial",
}


def test_the_first_answer_comes_without_what_it_does_not_need(tmp_path: Path) -> None:
    """Each of these takes longer to import than the answer takes. Besides, the description of the API is not made."""
    url = f"sqlite:///{tmp_path / 'sync.db'}"
    Database(url).migrate()
    code = (
        "import gc, sys\n"
        "from wsgi import app\n"
        "from backend.web.description import description\n"
        "assert app.test_client().get('/healthz').status_code == 200\n"
        "print(*sys.modules, description.cache_info().currsize, gc.isenabled())\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": url}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, text=True,
                           capture_output=True, timeout=60, check=True)
    *loaded, descriptions, collects = ended.stdout.split()
    assert LATE.isdisjoint(loaded)
    assert (descriptions, collects) == ("0", "True")


def test_a_setting_that_cannot_be_used_ends_the_start_with_its_cure(tmp_path: Path) -> None:
    environment = {**os.environ, "SYNC_INTERVAL": "soon", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", "import wsgi"], env=environment, cwd=tmp_path, text=True,
                           capture_output=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "“soon” is not an interval." in ended.stderr
    assert "Traceback" not in ended.stderr
