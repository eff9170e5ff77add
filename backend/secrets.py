"""Keys that people entrust to this service, sealed before they are stored.

    SECRET_KEY = "newest,older,…"      several while one replaces another; only the newest seals
    row        = "link 7 store"        every value is sealed with a key of its own row, so that one that was moved
                                       to another row of the database cannot be opened there

Without SECRET_KEY a laptop's SQLite file gets a key beside it, readable for its owner only. Elsewhere nothing secret
is stored: a disk that is wiped, or a database on another machine, keeps no such file.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import ConfigError
from backend.settings import Secret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

log = logging.getLogger(__name__)

SHORTEST_KEY = 16
SHOWN_LETTERS = 4
NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"


class Unreadable(ConfigError):
    """A stored secret was sealed with a key that is not among SECRET_KEY's, or belongs to another row."""


class Vault:
    """Seals and opens. `keys` are any long texts, the newest first. Without keys it can do neither, and says why."""

    def __init__(self, keys: Sequence[str], why_not: str = "") -> None:
        self._keys = [Secret(key) for key in keys]
        self._why_not = why_not

    def __repr__(self) -> str:
        return f"Vault({len(self._keys)} keys)"

    @classmethod
    def from_keys(cls, secret_key: str) -> Vault:
        """From the text of SECRET_KEY. Raises ConfigError for a key that is too short to protect anything."""
        keys = [key for part in secret_key.split(",") if (key := part.strip())]
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise ConfigError(f"A key in SECRET_KEY is shorter than {SHORTEST_KEY} letters, so it protects nothing.",
                              cure=f"Make a new one with {NEW_KEY}")
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def seal(self, text: str, row: str) -> str:
        """Raises ConfigError where there is no key to seal with."""
        return self._of(row).encrypt(text.encode()).decode()

    def open(self, sealed: str, row: str) -> Secret:
        """Raises Unreadable, which names no secret."""
        from cryptography.fernet import InvalidToken  # late: the web process starts without it

        try:
            return Secret(self._of(row).decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise Unreadable("A stored key cannot be read with this SECRET_KEY.",
                             cure="Put the SECRET_KEY back that it was stored with.") from None

    def renewed(self, sealed: str, row: str) -> str | None:
        """Sealed with the newest key; None where it is so already. Raises Unreadable."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            Fernet(_derived(self._keys[0], row)).decrypt(sealed.encode())
        except (InvalidToken, IndexError):
            return self.seal(self.open(sealed, row).reveal(), row)
        return None

    def _of(self, row: str) -> MultiFernet:
        if not self._keys:
            raise ConfigError(
                f"The sync service has nothing to keep keys with: {self._why_not or 'SECRET_KEY is not set.'}",
                cure=f"Set SECRET_KEY where the service runs to a long random text ({NEW_KEY}), and start it again.",
            )
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(_derived(key, row)) for key in self._keys])


def open_vault(secret_key: Secret, database_url: str, *, wiped_disk: bool = False) -> Vault:
    """The vault of a deployment: from SECRET_KEY, and from the file beside a SQLite database, where there is one.

    A file that was made before SECRET_KEY was set is its oldest key, so what it sealed is read and sealed anew.
    """
    vault = Vault.from_keys(secret_key.reveal())
    file = key_file(database_url)
    keys = [key.reveal() for key in vault._keys]
    if file is not None and file.is_file():
        keys.append(file.read_text(encoding="ascii").strip())
    if keys:
        return Vault(keys)
    if file is None or wiped_disk:
        return Vault([], "SECRET_KEY is not set, and a key beside the database would not last here.")
    return _WithFile(file)


def key_file(database_url: str) -> Path | None:
    """`sync.db` → `sync.db.key`; None where the database is no file."""
    prefix = "sqlite:///"
    name = database_url.removeprefix(prefix).split("?")[0]
    if not database_url.startswith(prefix) or name in ("", ":memory:"):
        return None
    return Path(f"{name}.key")


def masked(text: str) -> str:
    """`…4f2a`: enough for its owner to know it again. Nothing of a short one."""
    return f"…{text[-SHOWN_LETTERS:]}" if len(text) >= 3 * SHOWN_LETTERS else "…"


def row_of(link_id: int, name: str) -> str:
    """What a link's secret is bound to."""
    return f"link {link_id} {name}"


def unreadable(names: Iterable[str]) -> Unreadable:
    """What a start says where stored secrets cannot be read."""
    said = ", ".join(names)
    return Unreadable(
        f"Stored keys cannot be read with this SECRET_KEY: {said}.",
        cure="Put the SECRET_KEY back that they were stored with (several may stand there, the newest first). Where it "
             "is lost, run: python -m backend.forget. It forgets these keys only; they are then entered again.",
    )


class _WithFile(Vault):
    """Makes the file beside the database when the first secret is sealed, not before."""

    def __init__(self, file: Path) -> None:
        super().__init__([])
        self._file = file

    def __bool__(self) -> bool:
        return True

    def _of(self, row: str) -> MultiFernet:
        if not self._keys:
            self._keys = [Secret(_key_in(self._file))]
        return super()._of(row)


def _key_in(file: Path) -> str:
    """The key in `file`, made there with mode 600 where there is none. Two processes that begin at once agree."""
    made = base64.urlsafe_b64encode(os.urandom(32)).decode()
    # Written whole under another name first: nobody ever reads half a key.
    new = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(f"{made}\n")
        os.link(new, file)
        log.warning("SECRET_KEY is not set: secrets are sealed with the key in %s, which whoever copies the database "
                    "must copy too", file)
    except FileExistsError:
        log.debug("another process made the key first")
    except OSError as error:
        raise ConfigError(f"No key can be kept beside the database: {file} cannot be written.",
                          cure="Set SECRET_KEY, or let the service write there.") from error
    finally:
        new.unlink(missing_ok=True)
    return file.read_text(encoding="ascii").strip()


def _derived(key: Secret, row: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), 32, salt=b"shopify-grist-sync", info=row.encode()).derive(key.reveal().encode())
    return base64.urlsafe_b64encode(derived)
