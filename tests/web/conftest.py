import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_helpers import Place, make_bare_place, make_place

from backend.settings import Secret
from backend.store.db import Database
from demo.grist import Grist, create_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as shopify_app
from demo.shopify.state import ALL_SCOPES


@pytest.fixture(scope="session")
def grist_server() -> Iterator[tuple[Grist, str]]:
    """A Grist for all tests; each makes documents of its own in it."""
    grist = Grist(parallel_limit=100)
    with serving(create_app(grist)) as url:
        yield grist, url


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "sync.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture
def place(grist_server: tuple[Grist, str], tmp_path: Path, empty_database: Path) -> Iterator[Place]:
    shutil.copy(empty_database, tmp_path / "sync.db")
    made = make_place(*grist_server, tmp_path)
    yield made
    made.service.database.dispose()


@pytest.fixture(scope="session")
def shopify_server() -> Iterator[tuple[Store, str]]:
    """A simulated store; it answers under every name, as SHOPIFY_ADMIN_URL says."""
    store = Store(products=3, seed=1, orders=2)
    with serving(shopify_app(store, tokens=("shpat_demo", "shpat_other"), client=("client-1", "shpss_secret"))) as url:
        yield store, url


@pytest.fixture
def shop(grist_server: tuple[Grist, str], shopify_server: tuple[Store, str], tmp_path: Path, empty_database: Path
         ) -> Iterator[Place]:
    """A backend whose document is linked by its environment, with a store that answers."""
    shutil.copy(empty_database, tmp_path / "sync.db")
    grist_server[0].access.add_key("grist-key-1", "owner", "key's owner")
    made = make_place(*grist_server, tmp_path, shopify_admin_url=shopify_server[1],
                      secret_key=Secret("a-long-secret-key-for-tests"), shopify_token=Secret("shpat_demo"))
    yield made
    made.service.database.dispose()


@pytest.fixture
def bare(grist_server: tuple[Grist, str], shopify_server: tuple[Store, str], tmp_path: Path, empty_database: Path
         ) -> Iterator[Place]:
    """A backend that knows a Grist server and nothing else: a link is made in the widget."""
    shutil.copy(empty_database, tmp_path / "sync.db")
    grist_server[0].access.add_key("grist-key-1", "owner", "key's owner")
    made = make_bare_place(*grist_server, tmp_path, shopify_admin_url=shopify_server[1])
    yield made
    made.service.database.dispose()
    shopify_server[0].set_scopes(ALL_SCOPES)
    shopify_server[0].protected_data = True
