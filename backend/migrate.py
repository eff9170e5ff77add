"""Bring the database to the newest revision: `python -m backend.migrate`. Hosts run it at each release."""

from backend.settings import Settings
from backend.store.db import Database

if __name__ == "__main__":
    Database(Settings.from_environment().database_url).migrate()
