"""Alembic's door. The connection comes from `Database.migrate`, never from an ini file."""

from alembic import context

from backend.store import partial  # noqa: F401  # its indexes belong to the tables
from backend.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
