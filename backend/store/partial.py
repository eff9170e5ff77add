"""The indexes over a part of a table's rows. Only who migrates, or compares the tables with a database, has a use for
them here: naming Postgres makes SQLAlchemy load all that it knows of it, which a start on SQLite does without."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index

from backend.store.tables import link, pair, privacy, run


def _where(condition: ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


Index("ix_link_unset", link.c.id, **_where(link.c.due_at.is_(None) & link.c.interval_seconds.is_not(None)))
Index("ix_pair_unmarked", pair.c.mapping_id, **_where(pair.c.marked.is_(False)))
# One running run a link, one sync and one preview that wait: the database itself refuses a second writer.
Index("uq_run_running", run.c.link_id, unique=True, **_where(run.c.state == "running"))
Index("uq_run_queued", run.c.link_id, run.c.kind, unique=True, **_where(run.c.state == "queued"))
Index("ix_privacy_open", privacy.c.id, **_where(privacy.c.done_at.is_(None)))
