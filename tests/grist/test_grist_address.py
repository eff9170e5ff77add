"""A document is named by its id or by the address copied from the browser."""

import pytest

from backend.errors import UserError
from backend.grist.address import document_id


@pytest.mark.parametrize(("text", "server", "document"), [
    ("gTwY8Xze6QBezamvEYBB1i", None, "gTwY8Xze6QBezamvEYBB1i"),
    ("  abc123 ", None, "abc123"),
    ("gTwY8Xze6QBezamvEYBB1i~fork123~5", None, "gTwY8Xze6QBezamvEYBB1i~fork123~5"),
    ("https://docs.getgrist.com/abc123", "https://docs.getgrist.com", "abc123"),
    ("https://docs.getgrist.com/abc123/Name", "https://docs.getgrist.com", "abc123"),
    ("docs.getgrist.com/abc123/Name", "https://docs.getgrist.com", "abc123"),
    ("https://docs.getgrist.com/gTwY8Xze6QBe/Name/p/2?style=singlePage#a1.s2.r3", "https://docs.getgrist.com",
     "gTwY8Xze6QBe"),
    ("https://team.getgrist.com/doc/gTwY8Xze6QBezamvEYBB1i", "https://team.getgrist.com", "gTwY8Xze6QBezamvEYBB1i"),
    ("https://team.getgrist.com/doc/shop-2026/m/fork", "https://team.getgrist.com", "shop-2026"),
    ("http://localhost:8484/o/docs/gTwY8Xze6QBe/Shop", "http://localhost:8484/o/docs", "gTwY8Xze6QBe"),
    ("localhost:8484/o/docs/gTwY8Xze6QBe/Shop", "http://localhost:8484/o/docs", "gTwY8Xze6QBe"),
    ("https://example.com/grist/o/team/doc/abc123/Name", "https://example.com/grist/o/team", "abc123"),
    ("https://example.com/o/team/doc/abc123", "https://example.com/o/team", "abc123"),
    ("https://example.com/grist/gTwY8Xze6QBe/Shop", "https://example.com/grist", "gTwY8Xze6QBe"),
    ("https://example.com/api/docs/gTwY8Xze6QBe/tables", "https://example.com", "gTwY8Xze6QBe"),
    ("http://[::1]:8484/gTwY8Xze6QBe", "http://[::1]:8484", "gTwY8Xze6QBe"),
])
def test_an_id_or_a_pasted_address_names_the_document(text: str, server: str | None, document: str) -> None:
    assert document_id(text) == (server, document)


@pytest.mark.parametrize("text", [
    "", "   ", "my document", "https://docs.getgrist.com", "https://docs.getgrist.com/ws/12", "ftp://x/abc123",
    "https://docs.getgrist.com/o/team", "https://", "https://docs.getgrist.com/a%20b",
    "https://docs.getgrist.com/forms/gTwY8Xze6QBe/4", "http://host:port/abc123",
])
def test_anything_else_is_an_error_with_a_cure(text: str) -> None:
    with pytest.raises(UserError) as caught:
        document_id(text)
    assert "copy the whole address" in caught.value.cure


def test_a_secret_in_the_address_is_not_repeated() -> None:
    with pytest.raises(UserError) as caught:
        document_id("https://docs.getgrist.com/ws/12?auth=secret")
    assert "secret" not in str(caught.value)
