"""Worlds to run in. The database is migrated once; each test gets a copy of that file.

A tenth of the tests, chosen by their names, run on Postgres too: what the engine asks of the store is the same there,
and `tests/store` asks all of it on both. Long stories by seed run there in `tests/world`. With EVERY_DATABASE (`make
databases`) each test runs on both.

A quarter of the tests, by their names, and the stories run once more with a document of the stand-in behind the
product's own connector in the twin's place (`documents`). With EVERY_CONNECTOR (`make connector`) each test does; with
GRIST_TEST_URL each does, and the document is one of that Grist.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from documents import DocumentGrist
from places import a_place
from twins import MemoryGrist

from backend.core.model import Mapping
from backend.store.db import Database

from .world import World, make_world, world_in

MakeWorld = Callable[..., World]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "sync.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "new_world" not in metafunc.fixturenames:
        return
    is_story, number = "seed" in metafunc.fixturenames, zlib.crc32(metafunc.definition.nodeid.encode())
    databases = ["sqlite"]
    if (number % 10 == 0 and not is_story) or os.environ.get("EVERY_DATABASE"):
        databases.append("postgres")
    kinds = [(database, "twin") for database in databases]
    if is_story or number % 4 == 0 or os.environ.get("EVERY_CONNECTOR") or os.environ.get("GRIST_TEST_URL"):
        kinds.append(("sqlite", "connector"))
    metafunc.parametrize("kind_of_world", kinds, ids="-".join, indirect=True)


@pytest.fixture
def kind_of_world(request: pytest.FixtureRequest) -> tuple[str, str]:
    """(database, "twin" or "connector"): who plays Grist."""
    return getattr(request, "param", ("sqlite", "twin"))


@pytest.fixture
def new_world(migrated: Path, tmp_path: Path, kind_of_world: tuple[str, str], request: pytest.FixtureRequest
              ) -> Iterator[MakeWorld]:
    """Makes empty worlds: `new_world(mappings, batch_size=…)`; `beside` another one in the same database."""
    made: list[World] = []
    database, player = kind_of_world
    with ExitStack() as open_places:

        def grist(mappings: Sequence[Mapping], *, batch_size: int) -> MemoryGrist | DocumentGrist:
            if player == "twin":
                return MemoryGrist(mappings, batch_size=batch_size)
            return DocumentGrist(mappings, open_places.enter_context(a_place(inside=True)), batch_size=batch_size)

        def make(mappings: Sequence[Mapping] | None = None, *, batch_size: int = 50,
                 beside: World | None = None) -> World:
            if beside is not None:
                return world_in(beside.database, mappings, batch_size=batch_size, document="another", grist=grist)
            path = tmp_path / f"sync-{len(made)}.db"
            if database == "postgres":
                url = request.getfixturevalue("postgres").new()
            else:
                shutil.copy(migrated, path)
                url = f"sqlite:///{path}"
            made.append(make_world(url, mappings, batch_size=batch_size, grist=grist))
            return made[-1]

        yield make
        for world in made:
            world.database.dispose()


@dataclass
class Shop:
    """A world with one product that has been synced: its parts by name, in both sides' words."""

    world: World
    product: str
    variant: str
    level: str
    location: str

    @property
    def row(self) -> int:
        """The product's row."""
        return self.world.row_of(self.product)

    @property
    def level_row(self) -> int:
        return self.world.row_of(self.level)


@pytest.fixture
def new_shop(new_world: MakeWorld) -> Callable[..., Shop]:
    """Makes shops with one product of ten pieces that both sides agree on."""

    def make(mappings: Sequence[Mapping] | None = None, *, batch_size: int = 50) -> Shop:
        world = new_world(mappings, batch_size=batch_size)
        shop = world.shopify
        product = shop.add("products", title="Mug", handle="mug", tags=["blue"])
        variant = shop.add("variants", product=product, sku="m1", price="12.50")
        location = shop.add("locations", name="Shelf")
        level = shop.add("inventory", variant=variant, location=location, available=10)
        world.run()
        world.forget_what_was_written()
        return Shop(world, product, variant, level, location)

    return make


@pytest.fixture
def shop(new_shop: Callable[..., Shop]) -> Shop:
    return new_shop()
