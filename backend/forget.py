"""Forget the stored keys that cannot be read any more, because their SECRET_KEY is lost: `python -m backend.forget`.

Links, mappings and history stay; the keys are entered again in the widget.
"""

from __future__ import annotations

import sys

from backend.errors import ConfigError
from backend.secrets import Unreadable, open_vault, row_of
from backend.settings import Settings
from backend.store import entrusted
from backend.store.db import Database


def main() -> int:
    settings = Settings.from_environment()
    database = Database(settings.database_url)
    database.migrate()
    vault = open_vault(settings.secret_key, settings.database_url, wiped_disk=settings.wiped_disk)
    with database.write() as tx:
        for one in entrusted.everything(tx):
            try:
                vault.open(one.sealed, row_of(one.link_id, one.name))
            except Unreadable:
                entrusted.forget(tx, one.link_id, one.name)
                print(f"Forgot {one.name} of link {one.link_id}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ConfigError as error:
        sys.exit(str(error))
