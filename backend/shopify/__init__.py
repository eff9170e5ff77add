"""Shopify's Admin GraphQL API, version 2026-10. Facts and their sources: docs/shopify.md."""
