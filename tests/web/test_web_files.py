"""How the widget's files are sent: packed for whoever takes that, and not again while they are the same."""
from __future__ import annotations

import gzip
from pathlib import Path

from flask import Flask, Response

from backend.web import files


def made(folder: Path) -> Flask:
    app = Flask(__name__)
    (folder / "main.js").write_text("const words = 'äöü';\n" * 50, encoding="utf-8")
    (folder / "dot.png").write_bytes(b"\x89PNG")

    @app.get("/<path:name>")
    def file(name: str) -> Response:
        return files.send(folder, name)

    return app


def test_a_text_is_packed_only_for_whoever_takes_it(tmp_path: Path) -> None:
    client = made(tmp_path).test_client()
    plain, packed = client.get("/main.js"), client.get("/main.js", headers={"Accept-Encoding": "gzip, br"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 5
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    picture = client.get("/dot.png", headers={"Accept-Encoding": "gzip"})
    assert picture.headers.get("Content-Encoding") is None


def test_a_file_is_sent_again_only_when_it_has_changed(tmp_path: Path) -> None:
    client = made(tmp_path).test_client()
    asked = {"Accept-Encoding": "gzip"}
    first = client.get("/main.js", headers=asked)
    assert "no-cache" in first.headers["Cache-Control"]
    known = {**asked, "If-None-Match": first.headers["ETag"]}
    assert client.get("/main.js", headers=known).status_code == 304
    (tmp_path / "main.js").write_text("const words = 'new and longer';\n" * 60, encoding="utf-8")
    again = client.get("/main.js", headers=known)
    assert (again.status_code, b"new and longer" in gzip.decompress(again.data)) == (200, True)


def test_a_name_that_leads_elsewhere_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("no")
    (tmp_path / "widget").mkdir()
    client = made(tmp_path / "widget").test_client()
    assert client.get("/%2e%2e/secret", headers={"Accept-Encoding": "gzip"}).status_code == 404
    assert client.get("/nothing.js", headers={"Accept-Encoding": "gzip"}).status_code == 404
