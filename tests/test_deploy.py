"""The files that hosts read: they can be parsed, and they name commands, settings and files that exist. Whether a host
takes them is untried here; docs/deploy.md says so."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

from ruamel.yaml import YAML

from backend.settings import NAMES

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {*NAMES, "PORT", "HOST", "LOG_FORMAT", "LOG_LEVEL", "WEB_CONCURRENCY", "SENTRY_DSN", "PYTHON_VERSION"}


def yaml(name: str):
    return YAML(typ="safe").load((ROOT / name).read_text())


def can_be_run(command: list[str]) -> bool:
    if command[:2] == ["python", "-m"]:
        return importlib.util.find_spec(command[2]) is not None
    files = all((ROOT / name).is_file() for name in ("wsgi.py", "gunicorn.conf.py"))
    return command == ["gunicorn", "wsgi:app"] and files


def test_the_procfile_names_commands_that_exist():
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert list(lines) == ["release", "web", "worker"]
    assert all(can_be_run(shlex.split(command)) for command in lines.values())


def test_herokus_file_names_settings_and_processes_that_exist():
    app = json.loads((ROOT / "app.json").read_text())
    assert set(app["env"]) <= KNOWN
    processes = {line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    assert set(app["formation"]) <= processes
    assert any("postgresql" in addon["plan"] for addon in app["addons"])


def test_renders_file_names_settings_commands_and_its_database():
    blueprint = yaml("render.yaml")
    (web,) = blueprint["services"]
    assert {one["key"] for one in web["envVars"]} <= KNOWN
    assert can_be_run(shlex.split(web["startCommand"]))
    assert can_be_run(shlex.split(web["preDeployCommand"]))
    database = next(one["fromDatabase"]["name"] for one in web["envVars"] if one["key"] == "DATABASE_URL")
    assert database in [one["name"] for one in blueprint["databases"]]
    assert web["healthCheckPath"] == "/readyz"


def test_compose_names_settings_services_and_volumes_that_exist():
    compose = yaml("compose.yaml")
    services = compose["services"]
    assert set(services) == {"postgres", "grist", "sync", "worker"}
    assert set(services["sync"]["environment"]) <= KNOWN
    assert services["worker"]["environment"] == services["sync"]["environment"]
    assert can_be_run(services["worker"]["command"])
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert {one.split(":")[0] for one in service.get("volumes", ())} <= set(compose["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_image_is_not_root_and_copies_only_what_exists_and_is_let_in():
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") and "--from" not in line
              for word in line.split()[1:-1]]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    assert set(copied) == let_in
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["sync"]
    command = json.loads(next(line for line in lines if line.startswith("CMD ")).removeprefix("CMD "))
    assert can_be_run(command)
    (check,) = re.findall(r"HEALTHCHECK .*? CMD (\[.*\])", "\n".join(lines))
    assert json.loads(check)[:2] == ["python", "-c"]
    compile(json.loads(check)[2], "healthcheck", "exec")
