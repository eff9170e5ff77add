"""`python -m demo.shopify --port 9292 --products 200`: the simulated store on its own."""
from __future__ import annotations

import argparse
import signal
import sys
import threading

from demo.serving import base_url, bound_server

from .app import create_app
from .cost import RESTORE_PER_SECOND
from .schema import load_schema
from .state import Store


def main() -> int:
    options = _options()
    store = Store(products=options.products, orders=options.orders, seed=options.seed, plan=options.plan,
                  currency=options.currency, odd=options.odd)
    load_schema()  # half a second that the first request need not wait for
    try:
        server = bound_server(create_app(store, tokens={options.token}), options.port, options.host)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{store.shop.name} is open at {base_url(server)} (access token {options.token})", flush=True)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.shopify", description="A simulated Shopify store.")
    parser.add_argument("--port", type=int, default=9292, help="0 takes a free one and prints it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--products", type=int, default=200, help="how many products to make up")
    parser.add_argument("--orders", type=int, default=40, help="how many orders, with their customers and drafts")
    parser.add_argument("--currency", default="USD", choices=("USD", "EUR", "NOK", "JPY"), help="the shop's own money")
    parser.add_argument("--odd", action=argparse.BooleanOptionalAction, default=None,
                        help="add odd things, such as a product with 2,000 variants (from 1,000 products on by itself)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same catalogue")
    parser.add_argument("--token", default="shpat_demo", help="the access token that is accepted")
    parser.add_argument("--plan", choices=sorted(set(RESTORE_PER_SECOND) - {"enterprise"}), default="standard",
                        help="decides the rate limit")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
