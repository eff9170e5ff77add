"""A simulated Shopify store that executes Shopify's own schema 2026-10 over a small database in memory.

    from demo.shopify import Store, create_app
    with serving(create_app(Store(products=60, seed=1))) as url: ...
"""
from .app import create_app
from .behaviour import Behaviour
from .clock import Clock
from .engine import run
from .state import Store

__all__ = ["Behaviour", "Clock", "Store", "create_app", "run"]
