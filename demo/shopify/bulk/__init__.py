"""Bulk operations: queries and mutations that run beside the requests and leave a JSONL file (facts §4).

    documents.py   which documents may run in bulk, with Shopify's messages
    lines.py       a query's lines, written object by object, children with `__parentId`
    operations.py  the operations themselves: limits, statuses over time, results
    blobs.py       uploaded and written files, kept on disk
"""
from .operations import BulkOperation, Bulks

__all__ = ["BulkOperation", "Bulks"]
