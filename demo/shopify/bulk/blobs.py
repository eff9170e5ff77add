"""Files that belong to no request: uploads and results. They lie on disk, signed addresses lead to them."""
from __future__ import annotations

import hashlib
import hmac
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_UPLOAD = 104_857_600  # bytes; the signed policy says the same


@dataclass
class Blobs:
    """One folder a store, removed with it; made when the first file comes."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _names: dict[str, Path] = field(default_factory=dict)
    promised: set[str] = field(default_factory=set)  # keys that stagedUploadsCreate has given out

    def path(self, key: str) -> Path:
        """Where the file of this key lies or will lie."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="simulated-store-", ignore_cleanup_errors=True)
        if key not in self._names:
            self._names[key] = Path(self._folder.name) / f"{len(self._names)}.jsonl"
        return self._names[key]

    def put(self, key: str, content: bytes) -> None:
        self.path(key).write_bytes(content)

    def find(self, key: str) -> Path | None:
        """The file of the key, None when nothing was ever put there."""
        path = self._names.get(key)
        return path if path is not None and path.exists() else None

    def drop(self, key: str) -> None:
        path = self._names.pop(key, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def signed_rightly(self, text: str, signature: str) -> bool:
        return hmac.compare_digest(self.signature(text), signature)
