"""Tell people what failed and what waits: one message about a link, to a chat and by mail.

What is to be told, and that it is not told twice, is kept in backend/store/notices.py. The chat's address may have been
set by the owner of a document, so it must be https at a public address (backend/http.py: `tell`); `ALLOW_LOCAL_NOTIFY`
lets whoever runs the backend allow others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from backend import http
from backend.app import Context
from backend.errors import SyncError
from backend.jobs import mail, wishes
from backend.settings import Secret
from backend.store import links, notices
from backend.store.links import Link
from backend.store.notices import Notice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a link's messages go: addresses of chats, and people's mail."""

    chats: tuple[Secret, ...]
    mails: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.chats or self.mails)


def tell(context: Context) -> int:
    """Send all that is to be told now; returns how many messages. What cannot be sent is tried again later."""
    with context.database.read() as tx:
        due = notices.due(tx)
    return sum(_tell(context, link_id) for link_id in due)


def targets(context: Context, link: Link) -> Targets:
    """Those of the backend's settings and those of the link."""
    settings = context.settings
    chats = [settings.notify_url] if settings.notify_url else []
    own = context.secret(link, "notify_url")
    if own:
        chats.append(own)
    mails = (*settings.notify_mails, *wishes.of(link, settings).mails) if settings.smtp_url else ()
    return Targets(tuple(dict.fromkeys(chats)), tuple(dict.fromkeys(mails)))


def _tell(context: Context, link_id: int) -> int:
    with context.database.write() as tx:
        link = links.get(tx, link_id)
        taken = notices.take(tx, link_id)
        if link is None or not taken:
            return 0
        told_of = wishes.of(link, context.settings).told_of
        wanted = [one for one in taken if one.kind in told_of or one.kind not in wishes.KINDS]
        to = targets(context, link)
        if not to or not wanted:
            notices.silence(tx, taken)
            return 0
        notices.silence(tx, [one for one in taken if one not in wanted])
    try:
        _send(context, link, to, wanted)
    except SyncError as error:
        log.warning("nobody could be told what waits in link %s: %s", link_id, error.message)
        with context.database.write() as tx:
            notices.not_told(tx, wanted, str(error))
        return 0
    with context.database.write() as tx:
        notices.told(tx, wanted)
    log.info("told of %s in link %s", ", ".join(one.kind for one in wanted), link_id)
    return 1


def _send(context: Context, link: Link, to: Targets, wanted: Sequence[Notice]) -> None:
    settings = context.settings
    shop = link.shop.get("name") or link.store
    lines = [f"{shop}: {one.text}" for one in wanted]
    for chat in to.chats:
        http.tell(chat.reveal(), {"text": "\n".join(lines)}, allow_local=settings.allow_local_notify)
    if to.mails:
        kinds = {one.kind for one in wanted}
        what = "a sync failed" if kinds & {"failed", "stopped"} else "something waits for you"
        document = f"{link.server_url}/doc/{link.document}"
        text = "\n\n".join([*lines, f"The document: {document}"])
        mail.send(settings.smtp_url, settings.smtp_from, to.mails, f"{shop}: {what}", text)
