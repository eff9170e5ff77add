"""Small objects that several types show."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..ids import gid
from ..model import Product


def money_v2(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"__typename": "MoneyV2", "amount": amount, "currencyCode": currency}


def image(product: Product) -> dict[str, Any]:
    return {"__typename": "Image", "id": gid("ProductImage", product.id), "altText": product.title,
            "url": product.image_url, "src": product.image_url, "originalSrc": product.image_url,
            "width": 1200, "height": 1200, "thumbhash": None}
