"""Planted secrets are looked for wherever a person or a log could meet them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from web_helpers import SHIRT_S, Place, config, price

from backend.grist.client import GristClient
from backend.store import links, runs

TOKEN, CLIENT_SECRET, GRIST_KEY = "shpat_other", "shpss_secret", "grist-key-1"
HOOK = "https://hooks.slack.com/services/T0PLANT/B0PLANT/plantedhookpath"
MAIL = "planted.customer@example.com"
PLANTED = (TOKEN, CLIENT_SECRET, GRIST_KEY, "plantedhookpath")


def planted(place: Place) -> list[str]:
    """Everything that the API answers while keys are entered, rightly and wrongly."""
    said = []

    def send(method: str, path: str, body: Any = None) -> Any:
        answer = place.ask(method, path, "owner", body)
        said.append(answer.text + str(answer.headers))
        return answer

    send("POST", "/api/link/test", {"store": "fieldhouse", "token": TOKEN})
    send("POST", "/api/link/test", {"store": "fieldhouse", "client_id": "wrong", "client_secret": CLIENT_SECRET})
    send("POST", "/api/link/test", {"store": TOKEN + " ", "token": TOKEN, "client_id": CLIENT_SECRET})
    send("POST", "/api/link", {"store": "fieldhouse", "client_id": "client-1", "client_secret": CLIENT_SECRET})
    send("PUT", "store", {"token": TOKEN})
    send("PUT", "grist-key", {"key": GRIST_KEY})
    send("PUT", "grist-key", {"key": GRIST_KEY + "-wrong"})
    send("PUT", "notify-url", {"url": HOOK})
    send("PUT", "notify-url", {"url": HOOK.replace("https", "http")})
    send("PUT", "settings", {"mails": [MAIL]})
    send("POST", "health")
    for path in ("settings", "keys", "health", "state", "runs", "conflicts", "changes", "refused", "deletions",
                 "/api/session", "/", "/docs", "/docs/openapi.json", "/readyz"):
        send("GET", path)
    return said


def test_no_planted_secret_is_found_anywhere(
        bare: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level("DEBUG")
    said = planted(bare)
    token = bare.token()
    said.append(bare.ask("GET", "/api/session", token=token).text)
    out, err = capfd.readouterr()
    document = GristClient(bare.service.server_url, bare.document.doc_id, token=token)
    tables = [*document.tables(), *(document.data(table["id"]) for table in document.tables())]
    with bare.service.database.read() as tx:
        dump = "\n".join(tx.connection.driver_connection.iterdump())
        errors = [str(error) for error in (runs.ended(tx, bare.link.id),)]
    places = {"answers": "\n".join(said), "log": caplog.text, "output": out + err, "document": str(tables),
              "database": dump, "history": str(errors), "repr": repr(bare.service.context)}
    for name, text in places.items():
        for secret in (*PLANTED, token):
            assert secret not in text, f"{secret} in {name}"


def test_no_customers_mail_is_logged(bare: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    planted(bare)
    with bare.service.database.write() as tx:
        links.set_mappings(tx, bare.link.id, config().mappings)
    bare.conflicts("variants", price(1, Decimal("1"), Decimal("2"), title=MAIL, thing=SHIRT_S))
    bare.get("conflicts")
    bare.ask("POST", "choices", "owner", {"choices": [{"conflict": 1, "keep": MAIL, "seen": {}}]})
    bare.ask("PUT", "settings", "owner", {"mails": [MAIL, "no mail"]})
    assert MAIL not in caplog.text


def test_the_report_of_health_holds_no_secret_and_no_address(bare: Place) -> None:
    planted(bare)
    told = bare.ask("GET", "health").text
    assert not any(secret in told for secret in PLANTED)
    assert MAIL not in told
    assert not re.search(r"https?://", told)
