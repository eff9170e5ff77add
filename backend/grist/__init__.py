"""The Grist side: one document, read whole or by row, written in atomic bundles."""

from backend.grist.access import create_document, probe_role
from backend.grist.address import document_id
from backend.grist.connector import GristConnector
from backend.grist.suggest import suggest

__all__ = ["GristConnector", "create_document", "document_id", "probe_role", "suggest"]
