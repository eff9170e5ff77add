"""The Grist side: one document, read whole or by row, written in atomic bundles."""
