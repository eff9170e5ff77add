"""`python -m demo.grist --port 9393`: the stand-in alone, with an empty document and a key."""
from __future__ import annotations

import argparse
import logging
import secrets
import sys

from demo.grist import Grist, create_app
from demo.serving import base_url, bound_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.grist", description=__doc__)
    parser.add_argument("--port", type=int, default=9393, help="0 takes a free one (default 9393)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--backend", help="address of the sync backend, whose /widget/ is shown beside the grid")
    parser.add_argument("--doc-id", help="id of the document (default: a new one)")
    parser.add_argument("--key", help="API key (default: a new one)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    grist = Grist()
    document = grist.new_document("Shop", options.doc_id)
    key = options.key or secrets.token_hex(20)
    grist.add_key(key, "owner", "You")
    try:
        server = bound_server(create_app(grist, backend_url=options.backend), options.port, options.host)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Grist stand-in at {base_url(server)} document {document.doc_id} key {key}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
