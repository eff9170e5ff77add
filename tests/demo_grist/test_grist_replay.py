"""The stand-in answers every recorded exchange with a real Grist as that Grist did: status and body.

Ids, numbers of states and all other values must be equal. What no two servers share (hashes, times, keys, ids of
documents and webhooks) is bound by name: what was the same in the recording must be the same here.
"""
from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, request

from demo.grist import Grist, create_app
from demo.serving import serving

FIXTURES = Path(__file__).parents[1] / "fixtures" / "grist"
RECORDED_HOOK = "localhost:9911"
RECORDED_SINCE = 1_795_000_000  # seconds; the recordings were made later, their other dates lie before
BY_NAME = re.compile(r"^([0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-Za-z]{22}"
                     r"|\d{4}-\d\d-\d\dT[\d:.]+Z)$")
KEYS_BOUND = ("h", "actionHash", "id", "docId", "ref", "unsubscribeKey", "createdAt", "updatedAt")
KEYS = {"owner": "Bearer key-of-owner", "wrong": "Bearer wrong"}


@pytest.fixture
def hook_address() -> Iterator[str]:
    receiver = Flask("receiver")

    @receiver.post("/hook")
    def hook() -> str:
        assert isinstance(request.get_json(), list)
        return "ok"

    with serving(receiver) as url:
        yield url.removeprefix("http://")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_a_recording_replays(path: Path, hook_address: str) -> None:
    recording = json.loads(path.read_text())
    grist = Grist(webhook_delay=0)
    document = grist.new_document(f"fixture {recording['scenario']}")
    grist.add_key("key-of-owner", role="owner")
    binder = Binder(hook_address)
    with serving(create_app(grist)) as url:
        for step in recording["steps"]:
            status, body = binder.ask(url, document.doc_id, step)
            where = f"{recording['scenario']}: {step['name']}"
            assert status == step["status"], f"{where}: {body}"
            binder.compare(step["body"], body, where)
            for name, place in step["save"].items():
                binder.saved[name] = _at(body, place)


def test_there_are_recordings() -> None:
    assert len(list(FIXTURES.glob("*.json"))) >= 11


class Binder:
    """Sends the recorded requests and holds which recorded value stands for which of ours."""

    def __init__(self, hook_address: str) -> None:
        self.saved: dict[str, str] = {}
        self._ours: dict[Any, Any] = {RECORDED_HOOK: hook_address}
        self._recorded: dict[Any, Any] = {}
        self._hook_address = hook_address

    def ask(self, url: str, doc_id: str, step: dict[str, Any]) -> tuple[int, Any]:
        asked = self._filled(step["request"])
        path = asked["path"]
        address = url + path[1:] if path.startswith("!") else f"{url}/api/docs/{doc_id}{path}"
        headers = {"Authorization": KEYS[step["auth"]]} if step["auth"] in KEYS else {}

        def send() -> tuple[int, Any]:
            answer = requests.request(asked["method"], address, params=asked.get("query"), json=asked.get("body"),
                                      headers=headers, timeout=10)
            return answer.status_code, answer.json()

        status, body = send()
        deadline = time.monotonic() + 5
        # A webhook's delivery happens behind the scenes; the recording waited for it too.
        while _awaits_delivery(step["body"]) and _awaits_delivery(body) is False and time.monotonic() < deadline:
            time.sleep(0.01)
            status, body = send()
        return status, body

    def compare(self, recorded: Any, ours: Any, where: str) -> None:
        if isinstance(recorded, dict):
            assert isinstance(ours, dict), where
            assert set(ours) == set(recorded), where
            for key, value in recorded.items():
                self.compare(value, ours[key], f"{where} / {key}")
        elif isinstance(recorded, list):
            assert isinstance(ours, list), where
            assert len(ours) == len(recorded), f"{where}: {ours}"
            for index, value in enumerate(recorded):
                self.compare(value, ours[index], f"{where} / {index}")
        elif _is_bound(recorded, where):
            assert type(ours) in (type(recorded), int, float), where
            assert self._ours.setdefault(recorded, ours) == ours, where
            if isinstance(recorded, str) and len(recorded) == 64:
                assert self._recorded.setdefault(ours, recorded) == recorded, f"{where}: one hash for two states"
        else:
            expected = self._translated(recorded)
            assert ours == expected, where
            assert isinstance(ours, bool) == isinstance(expected, bool), where

    def _translated(self, value: Any) -> Any:
        if isinstance(value, str):
            for theirs, ours in self._ours.items():
                if isinstance(theirs, str) and theirs in value:
                    value = value.replace(theirs, str(ours))
        return value

    def _filled(self, asked: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(asked).replace(RECORDED_HOOK, self._hook_address)
        for name, value in self.saved.items():
            text = text.replace("${" + name + "}", value)
        return json.loads(text, object_hook=_expanded)


def test_the_binding_tells_hashes_apart() -> None:
    binder = Binder("x")
    one, other = "a" * 64, "b" * 64
    binder.compare({"h": one}, {"h": "c" * 64}, "first / h")
    binder.compare({"h": other}, {"h": "d" * 64}, "second / h")
    with pytest.raises(AssertionError):
        binder.compare({"h": one}, {"h": "d" * 64}, "third / h")


def _is_bound(value: Any, where: str) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value >= RECORDED_SINCE
    key = where.rsplit(" / ", 1)[-1]
    return isinstance(value, str) and (key == "urlId" or (key in KEYS_BOUND and bool(BY_NAME.match(value))))


def _expanded(value: dict[str, Any]) -> Any:
    """`{"repeat": "x", "times": 3}` stands for long text in a recorded request."""
    return value["repeat"] * value["times"] if set(value) == {"repeat", "times"} else value


def _awaits_delivery(body: Any) -> bool | None:
    hooks = body.get("webhooks") if isinstance(body, dict) else None
    usages = [hook["usage"] for hook in hooks if "usage" in hook] if hooks else []
    return all(usage["lastEventBatch"] for usage in usages) if usages else None


def _at(body: Any, place: str) -> Any:
    for step in place.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body
