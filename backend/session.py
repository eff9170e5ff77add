"""Everything that one run needs, handed in by whoever knows everybody."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from backend.connector import Connector, Document
from backend.core.guard import Limits
from backend.core.model import Mapping
from backend.gather import AUDIT_SECONDS
from backend.store import pairing
from backend.store.db import Database, Transaction
from backend.usual import REST_SECONDS


@dataclass
class Session:
    """Everything that one run needs, handed in by whoever knows everybody."""

    database: Database
    link_id: int
    run_id: int
    mappings: Sequence[Mapping]
    local: Document
    remote: Connector
    bindings: Dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    rest_seconds: float = REST_SECONDS
    decided: Dict[str, Sequence[pairing.Answer]] = field(default_factory=dict)
    """By resource: answers that are not kept yet, since the mapping itself is a draft."""
    go_on: bool = False
    """A person has looked at the brakes: this run goes on."""
    only_plan: str = ""
    """The fingerprint of a plan that somebody was shown: the run does exactly that, or raises PreviewOutdated."""
    everything: bool = False
    """Look at everything, not only at what changed."""
    audit_seconds: float = AUDIT_SECONDS
    """After this long a run looks at everything by itself."""
    beat: Callable[[dict[str, Any]], None] = lambda progress: None
    """Called before each step with how far the run is. Raises Cancelled or LeaseLost."""
    fence: Callable[[Transaction], None] = lambda tx: None
    """Called first in every transaction of the run that writes. Raises LeaseLost where the run is another's by now."""
    clock: Callable[[], float] = time.monotonic
    new_key: Callable[[], str] = lambda: str(uuid.uuid4())

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that only the owner of the run gets: who was paused beyond its lease writes nothing more."""
        with self.database.write() as tx:
            self.fence(tx)
            yield tx


@dataclass(frozen=True, slots=True)
class UndoWanted:
    """Which lines of the history to take back: these, and all of these runs."""

    changes: tuple[int, ...] = ()
    runs: tuple[int, ...] = ()
