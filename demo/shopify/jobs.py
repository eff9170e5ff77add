"""Jobs: work that goes on after a mutation has answered. Here it is done at once; only its `done` waits for a look."""
from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .state import Store


def started(store: Store) -> dict[str, Any]:
    """A job as its mutation shows it: not done, and nothing to query yet."""
    job_id = f"gid://shopify/Job/{uuid.UUID(int=store.new_id() << 32 | 0x4000_8000)}"
    store.jobs.add(job_id)
    return {"__typename": "Job", "id": job_id, "done": False, "query": None}


def looked_up(store: Store, global_id: str) -> dict[str, Any]:
    """A job as `job(id:)` shows it later: done, whoever asks; unknown ones count as done long ago."""
    return {"__typename": "Job", "id": global_id, "done": True, "query": {"__typename": "QueryRoot"}}
