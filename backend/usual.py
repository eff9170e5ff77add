"""What holds where neither the environment nor sync.yaml says otherwise: known before any service is."""

from __future__ import annotations

from dataclasses import dataclass

REST_SECONDS = 30.0
"""How long a new row in Grist stays untouched before it is created in Shopify."""
FILES_AFTER_SECONDS = 300.0
"""Changes whose points take longer than this to come back go as files."""


@dataclass(frozen=True, slots=True)
class Audits:
    """How often a resource is read whole although nothing says that it changed; 0 for never."""

    stock_seconds: float = 15 * 60
    """Stock of a store that is too large to look at all of it in each poll, where no webhook tells of it."""
    others_seconds: float = 24 * 3600
    webhooks: bool = False
    """Webhooks tell of stock: it is audited as seldom as the others."""
