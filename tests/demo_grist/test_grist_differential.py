"""The stand-in and a real Grist are given the same random actions and must answer alike, state by state.

Runs by hand, where GRIST_TEST_URL and GRIST_TEST_KEY name a real Grist; GRIST_TEST_SEEDS says how many stories (3), and
GRIST_TEST_FROM with which to begin.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.grist import Grist, create_app
from demo.serving import serving

REAL, KEY = os.environ.get("GRIST_TEST_URL", ""), os.environ.get("GRIST_TEST_KEY", "")
SEEDS = int(os.environ.get("GRIST_TEST_SEEDS", "3"))
FIRST = int(os.environ.get("GRIST_TEST_FROM", "0"))
ROUNDS, BUNDLES = 5, 5
COLUMNS = {"Text": "Text", "Num": "Numeric", "Whole": "Int", "Yes": "Bool", "Day": "Date", "Moment": "DateTime:UTC",
           "Pick": "Choice", "Tags": "ChoiceList", "Up": "Ref:T", "Ups": "RefList:T"}
VALUES: list[Any] = [None, "", "a", "b", "about ten", "12", "1.5", 0, 1, 2, 3.5, -7, True, False, 86400, 1767323045,
                     ["L"], ["L", "a"], ["L", "a", "b"], ["L", 1], ["L", 1, 2], 2**31, "žluť 🐎", " x "]

pytestmark = pytest.mark.skipif(not (REAL and KEY), reason="needs GRIST_TEST_URL and GRIST_TEST_KEY: a real Grist")


class Side:
    """One document, by HTTP."""

    def __init__(self, url: str, doc_id: str, key: str) -> None:
        self._root, self._headers = f"{url}/api/docs/{doc_id}", {"Authorization": f"Bearer {key}"}

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        answer = requests.request(method, self._root + path, json=body, params=query, headers=self._headers, timeout=60)
        return answer.status_code, answer.json()

    def apply(self, actions: list[Any]) -> tuple[int, Any]:
        status, body = self.ask("POST", "/apply", actions, noparse="1")
        return status, body.get("retValues") if status == 200 else str(body["error"]).split("\n")[0][:60]

    def newest(self) -> str:
        return str(self.ask("GET", "/states")[1]["states"][0]["h"])


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[Side, Side]]:
    """One document of each kind for all stories: each story has a table of its own."""
    headers = {"Authorization": f"Bearer {KEY}"}
    workspace = requests.get(f"{REAL}/api/orgs/current/workspaces", headers=headers, timeout=60).json()[0]["id"]
    made = requests.post(f"{REAL}/api/workspaces/{workspace}/docs", json={"name": "differential"}, headers=headers,
                         timeout=60).json()
    grist = Grist()
    document = grist.new_document("differential")
    grist.add_key("key")
    with serving(create_app(grist)) as url:
        yield Side(url, document.doc_id, "key"), Side(REAL, made, KEY)
    requests.delete(f"{REAL}/api/docs/{made}", headers=headers, timeout=60)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_the_same_actions_have_the_same_results(sides: tuple[Side, Side], seed: int) -> None:
    ours, real = sides
    chance = random.Random(seed)
    columns = [{"id": name, "type": kind, "isFormula": False} for name, kind in COLUMNS.items()]
    columns += [{"id": "Twice", "type": "Any", "isFormula": True, "formula": "$Num * 2"},
                {"id": "Above", "type": "Any", "isFormula": True, "formula": "$Up.Text"}]
    table = f"T{seed}"
    for column in columns:
        column["type"] = str(column["type"]).replace(":T", f":{table}")
    first = [["AddTable", table, columns], ["BulkAddRecord", table, [None] * 4, {"Text": ["a", "b", "c", "d"]}]]
    told: list[Any] = [first]
    assert both(ours, real, lambda side: side.apply(first)[0], told) == 200
    for _ in range(ROUNDS):
        began = {side: side.newest() for side in sides}
        for _ in range(BUNDLES):
            actions = [[action[0], table, *action[2:]] for action in bundle(chance)]
            told.append(actions)
            both(ours, real, lambda side, sent=actions: side.apply(sent), told)  # type: ignore[misc]
        both(ours, real, lambda side: side.ask("GET", f"/tables/{table}/records", cellFormat="typed"), told)
        both(ours, real, lambda side, since=began: delta(side, since[side]), told)  # type: ignore[misc]


def both(ours: Side, real: Side, ask: Any, told: list[Any]) -> Any:
    """What both answer, which must be the same. `told` is what led there."""
    here, there = ask(ours), ask(real)
    assert here == there, f"{differences(here, there)}\nafter {json.dumps(told[-BUNDLES:], ensure_ascii=False)}"
    return here


def differences(here: Any, there: Any, where: str = "") -> list[str]:
    """The places in which two answers differ: stand-in, then the real one."""
    if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
        return [line for key in here for line in differences(here[key], there[key], f"{where}/{key}")]
    if isinstance(here, list | tuple) and isinstance(there, list | tuple) and len(here) == len(there):
        pairs = zip(here, there, strict=True)
        return [line for i, (one, other) in enumerate(pairs) for line in differences(one, other, f"{where}/{i}")]
    return [] if here == there else [f"{where}: {here!r} ≠ {there!r}"]


def delta(side: Side, left: str) -> Any:
    """What changed since `left`, rows and cells, with columns in order."""
    changes = side.ask("GET", "/compare", left=left, right="HEAD", maxRows="null")[1]["details"]["rightChanges"]
    tables = {name: value for name, value in changes["tableDeltas"].items() if not name.startswith("_grist")}
    return {name: {key: sorted(value) if key.endswith("Rows") else value for key, value in table.items()}
            for name, table in tables.items()}


def bundle(chance: random.Random) -> list[Any]:
    return [action(chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]


def action(chance: random.Random) -> list[Any]:
    names = chance.sample(list(COLUMNS), chance.randint(1, 3))
    rows = chance.sample(range(1, 8), chance.randint(1, 3))

    def cells(wanted: list[str], count: int) -> dict[str, list[Any]]:
        return {name: [chance.choice(VALUES) for _ in range(count)] for name in wanted}

    verb = chance.choice(["add", "add", "update", "update", "update", "remove", "conditional", "conditional"])
    if verb == "add":
        return ["BulkAddRecord", "T", [None] * len(rows), cells(names, len(rows))]
    if verb == "update":
        return ["BulkUpdateRecord", "T", rows, cells(names, len(rows))]
    if verb == "remove":
        return ["BulkRemoveRecord", "T", rows[:1]]
    scalars = [name for name in names if "List" not in COLUMNS[name]] or ["Text"]
    plain = [value for value in VALUES if not isinstance(value, list)]
    require = {"id": rows, scalars[0]: [chance.choice(plain) for _ in rows]}
    return ["BulkAddOrUpdateRecord", "T", require, cells(scalars, len(rows)), {"add": False}]
