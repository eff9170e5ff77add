"""Sealing: bound to its row, several keys, a file beside a laptop's database, and what a start says of a lost key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend import forget
from backend.app import Context
from backend.errors import ConfigError
from backend.secrets import Unreadable, Vault, key_file, masked, open_vault, row_of
from backend.settings import Secret, Settings
from backend.store import entrusted, links

OLD, NEW = "old-key-long-enough", "new-key-long-enough"


def test_what_is_sealed_is_opened_again_and_looks_like_nothing() -> None:
    vault = Vault.from_keys(NEW)
    sealed = vault.seal("shpat_secret", "link 1 store")
    assert vault.open(sealed, "link 1 store") == Secret("shpat_secret")
    assert "shpat" not in sealed
    assert vault.seal("shpat_secret", "link 1 store") != sealed


@pytest.mark.parametrize("row", ["link 2 store", "link 1 grist_key", "link 11 store", ""])
def test_a_value_that_was_moved_to_another_row_cannot_be_opened(row: str) -> None:
    vault = Vault.from_keys(NEW)
    with pytest.raises(Unreadable):
        vault.open(vault.seal("x", "link 1 store"), row)


def test_older_keys_open_and_the_newest_seals() -> None:
    sealed = Vault.from_keys(OLD).seal("x", "row")
    both = Vault.from_keys(f"{NEW}, {OLD}")
    anew = both.renewed(sealed, "row")
    assert anew is not None
    assert both.renewed(anew, "row") is None
    assert Vault.from_keys(NEW).open(anew, "row") == Secret("x")
    with pytest.raises(Unreadable):
        Vault.from_keys(OLD).open(anew, "row")


def test_a_key_that_protects_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="shorter than 16"):
        Vault.from_keys("short")


def test_no_error_and_no_repr_holds_a_key_or_a_secret() -> None:
    vault = Vault.from_keys(NEW)
    sealed = vault.seal("shpat_secret", "row")
    with pytest.raises(Unreadable) as caught:
        Vault.from_keys(OLD).open(sealed, "row")
    for text in (repr(vault), str(caught.value), repr(caught.value.__context__)):
        assert not any(secret in text for secret in (NEW, OLD, "shpat_secret", sealed))


@pytest.mark.parametrize(("text", "shown"), [("shpat_0123456789abcdef", "…cdef"), ("short", "…"), ("", "…")])
def test_a_secret_is_known_again_by_its_last_letters_at_most(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_laptop_gets_a_key_beside_its_database_when_the_first_secret_comes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sync.db'}"
    vault = open_vault(Secret(), url)
    assert vault
    assert list(tmp_path.iterdir()) == []
    sealed = vault.seal("x", "row")
    file = tmp_path / "sync.db.key"
    assert [one.name for one in tmp_path.iterdir()] == ["sync.db.key"]
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert open_vault(Secret(), url).open(sealed, "row") == Secret("x")
    later = open_vault(Secret(NEW), url)  # SECRET_KEY was set meanwhile: the file is its oldest key
    assert later.open(sealed, "row") == Secret("x")
    assert later.renewed(sealed, "row")


@pytest.mark.parametrize(("url", "wiped"), [
    ("postgresql://db.example/sync", False), ("sqlite:///:memory:", False), ("sqlite:///sync.db", True)])
def test_elsewhere_nothing_secret_is_kept_without_secret_key(url: str, wiped: bool) -> None:
    vault = open_vault(Secret(), url, wiped_disk=wiped)
    assert not vault
    with pytest.raises(ConfigError) as caught:
        vault.seal("x", "row")
    assert "Set SECRET_KEY" in caught.value.cure


@pytest.mark.parametrize("url", ["postgres://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_is_no_file_has_no_key_file(url: str) -> None:
    assert key_file(url) is None


# --- at the start ---------------------------------------------------------------------------------------


def settings_with(tmp_path: Path, key: str) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'sync.db'}", secret_key=Secret(key))


def kept(tmp_path: Path, key: str) -> int:
    context = Context.open(settings_with(tmp_path, key))
    with context.database.write() as tx:
        link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "doc", None, configured=False)
        context.keep(tx, link_id, "store", '{"token":"shpat_secret"}', by="An owner")
    context.database.dispose()
    return link_id


def test_a_start_seals_everything_with_the_newest_key(tmp_path: Path) -> None:
    link_id = kept(tmp_path, OLD)
    Context.open(settings_with(tmp_path, f"{NEW},{OLD}")).database.dispose()
    context = Context.open(settings_with(tmp_path, NEW))
    with context.database.read() as tx:
        found = links.get(tx, link_id)
    assert found is not None
    assert context.secret(found, "store") == Secret('{"token":"shpat_secret"}')


def test_a_start_is_refused_where_a_stored_secret_cannot_be_read_and_says_how_to_go_on(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    link_id = kept(tmp_path, OLD)
    with pytest.raises(ConfigError) as caught:
        Context.open(settings_with(tmp_path, NEW))
    assert f"store of link {link_id}" in caught.value.message
    assert "python -m backend.forget" in caught.value.cure
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'sync.db'}")
    monkeypatch.setenv("SECRET_KEY", NEW)
    assert forget.main() == 0
    assert capsys.readouterr().out == f"Forgot store of link {link_id}.\n"
    context = Context.open(settings_with(tmp_path, NEW))
    with context.database.read() as tx:
        assert entrusted.everything(tx) == []
        assert [one.id for one in links.all_links(tx)] == [link_id]


def test_a_sealed_value_that_was_copied_to_another_link_refuses_the_start(tmp_path: Path) -> None:
    link_id = kept(tmp_path, OLD)
    context = Context.open(settings_with(tmp_path, OLD))
    with context.database.write() as tx:
        other = links.add(tx, "b.myshopify.com", "https://grist.example", "other", None, configured=False)
        one = entrusted.get(tx, link_id, "store")
        assert one is not None
        entrusted.keep(tx, other, "store", one.sealed, hint="", by="somebody with the database")
    with pytest.raises(ConfigError, match=f"store of link {other}"):
        Context.open(settings_with(tmp_path, OLD))
    assert row_of(link_id, "store") != row_of(other, "store")
