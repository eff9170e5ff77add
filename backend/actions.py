"""Do what somebody wanted with orders and drafts: fulfil, cancel, complete and the like, each once.

    settle what an earlier run left open → for each that is wanted: look → still as it was seen? → journal → call
                                         → done, refused, or open: looked for, and never sent again by itself

The calls carry no key, so their journal is a class of its own (`store.actions`): what stands there as sent is only ever
looked for. A thing that shows it is done is believed at once. One that does not show it is looked at again by every
run, and after `SETTLE_SECONDS` a person is told that it may have happened, and where to look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.core.model import Side
from backend.errors import Cancelled, Interrupted, OutcomeUnknown, RetryLater, SyncError
from backend.shopify.actions import ACTIONS, Action, Actor, Said, Step, Thing
from backend.store import actions, changes, inbox, journal
from backend.store.actions import Deed
from backend.store.db import Database, Transaction

if TYPE_CHECKING:
    from backend.shopify.connector import ShopifyConnector

log = logging.getLogger(__name__)

SETTLE_SECONDS = 180.0
"""How long a call whose answer was lost may still be under way at Shopify, and its searches lag behind (facts §5)."""
WANTED_SECONDS = 3600.0
"""How long a yes is good for: whoever finds it later must not act on it."""
LOOKS = 4
"""How often one call is looked for within its own run, with growing pauses: an order is cancelled by a job."""

MOVED = "It changed in Shopify since you looked. Nothing was done."
MOVED_CURE = "Look at it again, and confirm once more if it is still meant."
GONE = "It is no longer in Shopify. Nothing was done."


@dataclass
class Acting:
    """What one run needs to act. `actor` is asked for only when there is something to do: that costs a request."""

    database: Database
    link_id: int
    run_id: int
    actor: Callable[[], Actor]
    write: Callable[[], AbstractContextManager[Transaction]]
    beat: Callable[[dict[str, Any]], None] = lambda progress: None
    sleep: Callable[[float], None] = time.sleep
    settle_seconds: float = SETTLE_SECONDS


def calm_actor(database: Database, link_id: int, shopify: ShopifyConnector) -> Actor:
    """Who acts, once nothing of an earlier run goes on at Shopify by itself."""
    with database.read() as tx:
        sizes = journal.sizes(tx, link_id, Side.REMOTE)
    shopify.halt(sizes)
    return shopify.acting()


def act(acting: Acting) -> dict[str, int]:
    """Settle what is open and do what is wanted. Returns how many were done, refused, are still looked for, and may
    have happened. Raises Cancelled (the rest is not done, and said so; an interrupted run leaves it to the next one),
    LeaseLost, and RetryLater where Shopify cannot be asked, which leaves all as it is."""
    with acting.database.read() as tx:
        waiting = actions.pending(tx, acting.link_id)
    if not waiting:
        return {}
    return _Run(acting, acting.actor()).all(waiting)


class _Run:
    def __init__(self, acting: Acting, actor: Actor) -> None:
        self._acting = acting
        self._actor = actor
        self.counts = dict.fromkeys(("done", "refused", "open", "maybe", "not_done"), 0)

    def all(self, waiting: list[Deed]) -> dict[str, int]:
        self._settle([deed for deed in waiting if deed.state != "wanted"])
        wanted = [deed for deed in waiting if deed.state == "wanted"]
        for n, deed in enumerate(wanted):
            try:
                self._acting.beat({"phase": "writing", "thing": deed.title, "done": n, "total": len(wanted),
                                   "mappings": []})
            except Interrupted:
                raise
            except Cancelled:
                for left in wanted[n:]:
                    self._end(left, "not_done", "It was cancelled before it was sent.", "Nothing was done.")
                raise
            self._do(deed)
        return {name: n for name, n in self.counts.items() if n}

    def _settle(self, open_ones: list[Deed]) -> None:
        """Look for what was sent before, by this or an earlier run, and whose answer nobody kept."""
        for resource in dict.fromkeys(ACTIONS[deed.name].resource for deed in open_ones):
            mine = [deed for deed in open_ones if ACTIONS[deed.name].resource == resource]
            seen = self._actor.look(resource, [deed.thing for deed in mine])
            for deed in mine:
                self._judge(deed, seen.get(deed.thing))

    def _judge(self, deed: Deed, thing: Thing | None) -> bool:
        """Whether it is settled by what the thing shows."""
        action = ACTIONS[deed.name]
        happened = action.happened(deed.before, thing) if thing is not None else None
        if happened:
            self._end(deed, "done")
            return True
        if deed.age_seconds < self._acting.settle_seconds:
            if deed.state != "open":
                self._end(deed, "open", "The answer was lost. It is looked for, and not sent again.")
            else:
                self.counts["open"] += 1
            return False
        said = "No sign of it was found since." if happened is False else \
            "It changed since, and not only by this." if thing is not None else "It is no longer there."
        self._end(deed, "maybe", f"The answer was lost, so this may have happened. {said}",
                  f"Look at {action.check}, then say here whether it happened.")
        return True

    def _do(self, deed: Deed) -> None:
        action = ACTIONS[deed.name]
        if deed.age_seconds > WANTED_SECONDS:
            self._end(deed, "not_done", "It waited too long for its turn. Nothing was done.", MOVED_CURE)
            return
        with self._acting.database.read() as tx:
            under_way = [one for one in actions.pending(tx, self._acting.link_id)
                         if one.thing == deed.thing and one.state in ("sent", "open")]
        if under_way:
            self._end(deed, "refused", "Something that was done to it before is still looked for. Nothing was done.",
                      "Wait until that is settled, then look again.")
            return
        lacking = self._actor.lacks(action)
        if lacking:
            self._end(deed, "refused", f"The app lacks the access scope {lacking}.",
                      "Add it to the app's scopes, release and install that version on the store.")
            return
        thing = self._actor.look(action.resource, [deed.thing]).get(deed.thing)
        if thing is None:
            self._end(deed, "refused", GONE, "The next sync shows what became of it.")
            return
        bar = action.bars(thing)
        if bar or action.now(deed.before, thing) != deed.digest:
            self._end(deed, "refused", f"{bar} Nothing was done." if bar else MOVED, MOVED_CURE)
            return
        with self._acting.write() as tx:
            mine = actions.sending(tx, deed, self._acting.run_id)
        if mine:
            self._send(deed, action)

    def _send(self, deed: Deed, action: Action) -> None:
        step = Step(deed.name, deed.thing, deed.input, tuple(deed.effect), deed.before, deed.digest)
        try:
            said = self._actor.do(step)
        except OutcomeUnknown:
            log.warning("the answer to %s of %s was lost", deed.name, deed.thing)
            self._look_for(deed, action, "The answer was lost. It is looked for, and not sent again.")
            return
        except RetryLater as error:
            said = Said(f"{error.message} Nothing was done.", "Look again, and confirm once more.")
        except SyncError as error:
            said = Said(error.message, error.cure)
        if said.refused:
            self._end(deed, "refused", said.refused, said.cure)
        elif action.name == "cancel":
            # Shopify took it as a job: it is done when the order says so.
            self._look_for(deed, action, "Shopify is still at it.")
        else:
            self._end(deed, "done")

    def _look_for(self, deed: Deed, action: Action, message: str) -> None:
        """Look a few times; what does not show itself stays open for the next run."""
        for n in range(LOOKS):
            try:
                thing = self._actor.look(action.resource, [deed.thing]).get(deed.thing)
            except RetryLater:
                break  # it is in the journal: the next run looks
            if thing is not None and action.happened(deed.before, thing):
                self._end(deed, "done")
                return
            if n < LOOKS - 1:
                self._acting.sleep(2.0**n)
        self._end(deed, "open", message)

    def _end(self, deed: Deed, state: str, message: str = "", cure: str = "") -> None:
        """What became of it; what was done gets its line in the history in the same transaction."""
        with self._acting.write() as tx:
            if actions.settle(tx, deed, state, message, cure) and state == "done":
                changes.add(tx, [{
                    "run_id": self._acting.run_id, "mapping_id": deed.mapping_id, "side": Side.REMOTE.value,
                    "kind": "action", "local_key": deed.local_key, "remote_key": deed.thing, "field": "",
                    "title": deed.title, "before": None, "after": " ".join(deed.effect),
                    "why": ACTIONS[deed.name].label}])
                # The next sync looks at it, whatever its checkpoint says.
                inbox.note(tx, self._acting.link_id, Side.REMOTE, [(ACTIONS[deed.name].resource, deed.thing)])
        self.counts[state] += 1
        log.info("%s of %s: %s", deed.name, deed.thing, state)
