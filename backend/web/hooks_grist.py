"""Grist's webhooks: rows that were added or changed in a mapped table. The address names the resource, for a delivery
does not name its table: POST /hooks/grist/<link key>/<resource>."""

from __future__ import annotations

from flask import Response, request

from backend.core.model import Side
from backend.store import deliveries, links
from backend.web.errors import Refused
from backend.web.hooks import bp, forged, link_of, note, payload_of, same, taken
from backend.web.service import service


@bp.post("/grist/<key>/<resource>")
def of_a_table(key: str, resource: str) -> Response:
    from backend.grist import webhooks  # late: the web process starts without it

    here = service()
    with here.database.read() as tx:
        link = links.get(tx, link_of(tx, key))
    assert link is not None
    expected = here.context.grist_authorization(link, key)
    if not expected or not same(request.headers.get("Authorization", ""), expected):
        raise forged()
    if resource not in here.context.resources:
        raise Refused(404, "not_found", f"There is no resource {resource[:40]!r}.", "Remove this webhook.")
    hints = webhooks.hints(resource, payload_of(request.get_data(cache=False)))
    with here.database.write() as tx:
        deliveries.came(tx, link.id, Side.LOCAL)
        noted = note(tx, link.id, Side.LOCAL, hints)
    return taken(noted)
