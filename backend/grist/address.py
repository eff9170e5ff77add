"""Which document is meant: an id, or the address that a person copied from the browser.

    abc123def456ghi7                                          the id alone
    https://docs.getgrist.com/abc123/Name/p/2?style=x#a1      hosted
    https://team.getgrist.com/doc/abc123                      a team site
    https://example.com/grist/o/team/doc/abc123/Name          self-hosted under a path
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from backend.errors import UserError

_CURE = (
    "Open the document in Grist and copy the whole address from the browser, "
    "or the document's id from its settings page."
)
_ID = re.compile(r"[A-Za-z0-9_-]{3,}(~[A-Za-z0-9_~-]+)?")
"""Documents have 22 characters, their short names 12 or what the owner chose; a fork adds `~fork~user`."""
_LONG_ID = re.compile(r"[A-Za-z0-9]{12,}(~[A-Za-z0-9_~-]+)?")
_LOCAL = ("localhost", "127.")
_NOT_DOCUMENTS = {"ws": "a workspace", "s": "a shared link", "forms": "a form", "admin": "the settings"}


def document_id(text: str) -> tuple[str | None, str]:
    """The server's address (None where only an id was given) and the document's id.

    The address keeps a path that the server lives under and the team (`/o/team`), so that `{server}/api/docs/{id}`
    is the document. Raises UserError where no document can be meant.
    """
    wanted = text.strip()
    if not wanted:
        raise UserError("No Grist document is named.", cure=_CURE)
    if "/" not in wanted:
        if not _ID.fullmatch(wanted):
            raise UserError(f"{wanted!r} is not the id of a Grist document.", cure=_CURE)
        return None, wanted
    try:
        parts = urlsplit(_with_scheme(wanted))
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # a port that is no number, an open bracket
        raise UserError(f"{_shown(wanted)!r} is not the address of a Grist document.", cure=_CURE) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{_shown(wanted)!r} is not the address of a Grist document.", cure=_CURE)
    before, document = _split([unquote(part) for part in parts.path.split("/") if part], parts.hostname, wanted)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = "".join(f"/{part}" for part in before)
    return f"{parts.scheme}://{host}{port}{path}", document


def _with_scheme(text: str) -> str:
    if "://" in text:
        return text
    return f"{'http' if text.startswith(_LOCAL) else 'https'}://{text}"


def _shown(text: str) -> str:
    """The address without what may be a secret in its query."""
    return text.split("?")[0].split("#")[0]


def _split(path: list[str], host: str, text: str) -> tuple[list[str], str]:
    """The path that the server lives under, and the document's id."""
    before: list[str] = []
    if "o" in path and path.index("o") + 1 < len(path):
        end = path.index("o") + 2
        before, path = path[:end], path[end:]
    for marker in (["api", "docs"], ["doc"]):
        for i in range(len(path) - len(marker)):
            if path[i:i + len(marker)] == marker:
                return _checked(before + path[:i], path[i + len(marker)], text)
    if path and path[0] in _NOT_DOCUMENTS:
        raise UserError(f"{_shown(text)!r} is the address of {_NOT_DOCUMENTS[path[0]]}, not of a document.", cure=_CURE)
    # Without a marker the document comes first, unless the server lives under a path: then it is the first long id.
    at = 0
    if not before and not host.endswith(".getgrist.com"):
        at = next((i for i, part in enumerate(path) if _LONG_ID.fullmatch(part)), 0)
    if not path:
        raise UserError(f"{_shown(text)!r} is the address of a Grist site, not of a document.", cure=_CURE)
    return _checked(before + path[:at], path[at], text)


def _checked(before: list[str], document: str, text: str) -> tuple[list[str], str]:
    if not _ID.fullmatch(document):
        raise UserError(f"{_shown(text)!r} names no document.", cure=_CURE)
    return before, document
