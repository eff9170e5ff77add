"""A stand-in for Grist: its REST API over documents in memory, and a page with a grid and the widget's frame.

    grist = Grist()
    document = grist.new_document("Shop")
    grist.add_key("secret-key", role="owner")
    with serving(create_app(grist)) as url: ...
"""
from demo.grist.app import create_app
from demo.grist.document import Document
from demo.grist.service import Grist

__all__ = ["Document", "Grist", "create_app"]
