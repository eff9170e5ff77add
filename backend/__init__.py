"""Shopify–Grist Sync: keeps a Shopify store and a Grist document in agreement, both ways.

    faces: web · jobs · cli  →  engine  →  connectors (shopify, grist) and store  →  core
"""

__version__ = "0.1.0"
