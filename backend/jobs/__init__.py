"""Runs as work: claimed under a lease, kept alive, ended with what became of them."""
