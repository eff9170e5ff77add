#!/usr/bin/env python3
"""The command line: `python shopify_grist_sync.py --help`."""

from backend.cli import main

if __name__ == "__main__":
    main()
