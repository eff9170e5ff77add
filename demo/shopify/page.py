"""The storefront's admin page: products, variants, prices and stock, edited in place (written in full later)."""
from __future__ import annotations

from flask import Blueprint

from .state import Store


def blueprint(store: Store) -> Blueprint:
    return Blueprint("page", __name__)
