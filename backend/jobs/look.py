"""A short run that only asks the store something for a person who sets up a mapping: how many there are of each, what
is defined, how many things a filter leaves. It writes nothing anywhere but its own report.

    wanted {}                                                        everything: shopify.looking
    wanted {"count": {"resource": "products", "filter": "status:active"}}   one number
"""

from __future__ import annotations

from typing import Any

from backend.app import Context, shop_facts
from backend.report import Report
from backend.store import links
from backend.store.links import Link
from backend.store.pairing import Answer


def look(context: Context, link: Link, wanted: dict[str, Any]) -> Report:
    """The report of a look; what was found is in `found`. Raises what the connector raises."""
    remote = context.shopify(link)
    report = Report(state="look")
    if "count" in wanted:
        asked = wanted["count"]
        resource = context.resources[asked["resource"]]
        report.found = {**asked, "all": remote.count(resource, ""), "left": remote.count(resource, asked["filter"])}
    else:
        report.found = remote.look(context.resources.values())
        with context.database.write() as tx:
            links.set_shop(tx, link.id, shop_facts(remote.shop))
    report.requests = {"shopify": remote.usage.requests}
    report.points = remote.usage.points
    return report


def answers(wanted: dict[str, Any]) -> dict[str, list[Answer]]:
    """What a draft's preview was told of pairs, by resource."""
    said: dict[str, list[Answer]] = {}
    for one in wanted.get("decided", ()):
        answer = Answer(0, one["row"], one["thing"], one["looks"], "", "")
        said.setdefault(one["resource"], []).append(answer)
    return said
