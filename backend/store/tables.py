"""The tables, as SQLAlchemy Core knows them. Migrations make them: `backend/store/migrations`. Their indexes over a
part of the rows stand in `partial`.

    link ── secret                     what people entrusted to it, sealed
       ├─ api_key                      keys of our own for scripts, hashed
       ├─ mapping ── pair            what agreed, and what each side held then
       │        │      └─ digest      … and what it looked like, so that it is recognised
       │        ├───── action          what is done to orders and drafts, and what became of it
       │        ├───── intent          what is about to be written; gone once it is known what became of it
       │        ├───── conflict        what waits for a choice
       │        ├───── deletion        what waits for a yes
       │        ├───── refusal         what was left alone, and why
       │        ├───── sighting        new rows in Grist, and since when they look as they do
       │        ├───── loose           what has no partner on the other side
       │        ├───── question        which row is which thing, where a person has to say it
       │        └───── pairing         … and what they said
       ├─ hint                          what may have changed, until a run has looked at it
       ├─ delivery                      which webhooks came, so that a repeated one is known
       ├─ notice                        what somebody is told of, by mail or message, and when
       ├─ privacy                       what Shopify asked for a customer's sake, and what was done
       └─ run ──────── change           what was written, before and after
    worker                              which processes do runs
    tally                               what has been counted since the beginning, for /metrics

    bucket, document_cost             what a store's rate limit has left, and what each request cost last time
    asked                              answers for which a service had to be asked, until they are fetched

Values are JSON as `core.values.dump` makes it; a row is an object by field name, and a field that was not read
is not in it. Moments are seconds since 1970, always told by the database's own clock (`now()`).
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of(table: str) -> Column[int]:
    return Column(f"{table}_id", Integer, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


link = Table(
    "link", metadata,
    Column("id", Integer, primary_key=True),
    Column("store", Text, nullable=False),
    Column("server_url", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("shop", JSON, nullable=False),
    Column("interval_seconds", Integer),
    Column("settings", JSON, nullable=False, server_default=text("'{}'")),
    Column("checked", JSON, nullable=False, server_default=text("'{}'")),
    Column("configured", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", Double, nullable=False),
    Column("synced_at", Double),
    Column("disconnected_at", Double),
    Column("checkpoints", JSON, nullable=False, server_default=text("'{}'")),
    Column("key", Text, nullable=False),
    Column("due_at", Double),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("hinted_at", Double),
    Column("hint_at", Double),
    Column("stopped", JSON(none_as_null=True)),
    Column("hooks", JSON, nullable=False, server_default=text("'{}'")),
    UniqueConstraint("server_url", "document"),
    UniqueConstraint("key"),
)
# Every worker asks each second whose time has come.
Index("ix_link_due", link.c.due_at)
Index("ix_link_hinted", link.c.hinted_at)

secret = Table(
    "secret", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("name", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("expires_at", Double),
    UniqueConstraint("link_id", "name"),
)

api_key = Table(
    "api_key", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("start", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("used_at", Double),
    UniqueConstraint("digest"),
)
Index("ix_api_key_link", api_key.c.link_id)

mapping = Table(
    "mapping", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("resource", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("binding", JSON, nullable=False),
    Column("paused", Text),
    Column("rows", Integer, nullable=False, server_default="0"),
    UniqueConstraint("link_id", "resource"),
)

pair = Table(
    "pair", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("local_key", Integer, nullable=False),
    Column("remote_key", Text, nullable=False),
    Column("base_local", JSON, nullable=False),
    Column("base_remote", JSON, nullable=False),
    Column("shown", JSON, nullable=False),
    Column("marked", Boolean, nullable=False),
    Column("parent", Text),
    UniqueConstraint("mapping_id", "local_key"),
    UniqueConstraint("mapping_id", "remote_key"),
)
Index("ix_pair_parent", pair.c.mapping_id, pair.c.parent)

digest = Table(
    "digest", metadata,
    Column("pair_id", Integer, ForeignKey("pair.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("local", LargeBinary, nullable=False),
    Column("remote", LargeBinary, nullable=False),
)

run = Table(
    "run", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("report", JSON),
    Column("message", Text),
    Column("cure", Text),
    Column("cancelling", Boolean, nullable=False, server_default=text("false")),
    Column("owner", Text),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("lease_until", Double),
    Column("requested_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
)
Index("ix_run_link", run.c.link_id, run.c.id)

intent = Table(
    "intent", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    _of("run"),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("ops", JSON, nullable=False),
    Column("pending", JSON, nullable=False),
    Column("at", Double, nullable=False),
    Column("plan", Text),
)
Index("ix_intent_mapping", intent.c.mapping_id)

conflict = Table(
    "conflict", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("local_key", Integer, nullable=False),
    Column("remote_key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("base", JSON),
    Column("base_known", Boolean, nullable=False),
    Column("local", JSON),
    Column("remote", JSON),
    Column("reason", Text, nullable=False),
    Column("deleted", Text),
    Column("edits", JSON, nullable=False),
    Column("choice", JSON),
    Column("moved", JSON),
    Column("seen_at", Double, nullable=False),
    Column("versions", JSON),
    UniqueConstraint("mapping_id", "local_key", "field"),
)

apart = Table(
    "apart", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("remote_key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("local", JSON),
    Column("remote", JSON),
    Column("gone", Text),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("mapping_id", "remote_key", "field"),
)

deletion = Table(
    "deletion", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("approved_by", Text),
    Column("put_back_by", Text),
    Column("kept", Boolean, nullable=False, server_default=text("false")),
    Column("seen_at", Double, nullable=False),
    UniqueConstraint("mapping_id", "side", "key"),
)

refusal = Table(
    "refusal", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("cure", Text, nullable=False),
    Column("waits", Boolean, nullable=False),
    Column("tries", Integer, nullable=False, server_default="1"),
    Column("seen_at", Double, nullable=False),
    UniqueConstraint("mapping_id", "side", "key", "field"),
)

sighting = Table(
    "sighting", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("local_key", Integer, nullable=False),
    Column("looks", Text, nullable=False),
    Column("since", Double, nullable=False),
    UniqueConstraint("mapping_id", "local_key"),
)

loose = Table(
    "loose", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("side", Text, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("mapping_id", "side", "key"),
)

question = Table(
    "question", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("rows", JSON, nullable=False),
    Column("things", JSON, nullable=False),
    Column("witness", Text, nullable=False),
    Column("values", JSON, nullable=False),
    Column("about", JSON, nullable=False),
    Column("seen_at", Double, nullable=False),
    UniqueConstraint("mapping_id", "key"),
)

pairing = Table(
    "pairing", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("local_key", Integer, nullable=False),
    Column("thing", Text),
    Column("looks", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("mapping_id", "local_key"),
)

hint = Table(
    "hint", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("side", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Double, nullable=False),
)
Index("ix_hint_link", hint.c.link_id, hint.c.id)

delivery = Table(
    "delivery", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("side", Text, nullable=False),
    Column("key", Text),
    Column("at", Double, nullable=False),
    UniqueConstraint("link_id", "side", "key"),
)
Index("ix_delivery_at", delivery.c.at)

notice = Table(
    "notice", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("since", Double, nullable=False),
    Column("told_at", Double),
    Column("told_text", Text),
    Column("told_number", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Double),
    Column("problem", Text),
    UniqueConstraint("link_id", "kind"),
)
Index("ix_notice_next", notice.c.next_at)

privacy = Table(
    "privacy", metadata,
    Column("id", Integer, primary_key=True),
    _of("link"),
    Column("topic", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("things", JSON, nullable=False),
    Column("at", Double, nullable=False),
    Column("done_at", Double),
    Column("found", JSON),
)
Index("ix_privacy_link", privacy.c.link_id)

worker = Table(
    "worker", metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    UniqueConstraint("owner"),
)

tally = Table(
    "tally", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("value", Double, nullable=False),
    UniqueConstraint("name", "label"),
)

change = Table(
    "change", metadata,
    Column("id", Integer, primary_key=True),
    _of("run"),
    _of("mapping"),
    Column("side", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("local_key", Integer),
    Column("remote_key", Text),
    Column("field", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Column("why", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("undone_run", Integer),
)
Index("ix_change_mapping", change.c.mapping_id, change.c.id)
Index("ix_change_run", change.c.run_id)

bucket = Table(
    "bucket", metadata,
    Column("store", Text, primary_key=True),
    Column("books", JSON, nullable=False),
)

document_cost = Table(
    "document_cost", metadata,
    Column("document", Text, primary_key=True),
    Column("points", Double, nullable=False),
    Column("at", Double, nullable=False),
)

asked = Table(
    "asked", metadata,
    Column("key", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("sealed", Text),
)

action = Table(
    "action", metadata,
    Column("id", Integer, primary_key=True),
    _of("mapping"),
    Column("run_id", Integer),
    Column("name", Text, nullable=False),
    Column("thing", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("local_key", Integer, nullable=False),
    Column("input", JSON, nullable=False),
    Column("before", JSON, nullable=False),
    Column("effect", JSON, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("cure", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("sent_at", Double),
    Column("ended_at", Double),
)
Index("ix_action_mapping", action.c.mapping_id, action.c.id)

# An id that somebody was shown, or that a run holds, is never given to another row: a yes to a deletion names it by
# that. Postgres' sequences do so by themselves; SQLite would give the highest one away anew once its row is gone.
for _table in metadata.tables.values():
    if "id" in _table.c:
        _table.dialect_options["sqlite"]["autoincrement"] = True
