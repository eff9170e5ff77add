"""Figures, from runs: `python -m benchmarks --json`. Each has a target."""
