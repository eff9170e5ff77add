"""The guards: for each a piece of source, what stands there when it is switched off, and who should notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CORE = ("tests/core",)
ENGINE = ("tests/engine",)
SYNC = ("tests/engine/test_engine_sync.py",)
LOOKING = ("tests/engine/test_engine_looking.py",)
DELETIONS = ("tests/engine/test_engine_deletions.py",)
WORLD = ("tests/world/test_world.py",)
CREATING = ("tests/shopify/test_shopify_creating.py",)
FILES = ("tests/shopify/test_shopify_files.py",)
RECOGNISING = ("tests/engine/test_engine_recognising.py",)
FAULTS = ("tests/faults/test_faults_every_point.py",)


@dataclass(frozen=True)
class Guard:
    """`old` stands once in `file`; with `new` in its place the guard is off."""

    name: str
    promises: tuple[str, ...]
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = CORE

    def without(self, source: str) -> str:
        """Raises ValueError where the guard is not where the list says."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.old!r} stands {source.count(self.old)} times in {self.file}")
        return source.replace(self.old, self.new)


MERGE, MODEL, PLAN = "backend/core/merge.py", "backend/core/model.py", "backend/core/plan.py"
PAIRING, BRAKES, RECOVER = "backend/core/pairing.py", "backend/core/guard.py", "backend/recover.py"
ENGINE_FILE, WAITING = "backend/engine.py", "backend/store/waiting.py"
LOOK = "backend/look.py"

GUARDS: tuple[Guard, ...] = (
    # --- one field
    Guard("unread decides nothing", ("P10",), MERGE,
          "if local is UNREAD or remote is UNREAD:", "if False:"),
    Guard("both changed asks", ("P3",), MERGE,
          "        case _:\n            return Verdict(Action.ASK)",
          "        case _:\n            return Verdict(Action.WRITE, local=remote)"),
    Guard("a choice is for its values only", ("P16",), MERGE,
          "if (choice.local, choice.remote) == (local, remote):", "if True:"),
    Guard("a step back asks", ("P1", "P3"), MERGE, "if local in shown:", "if False:"),
    Guard("stock never merges below zero", ("P2",), MERGE,
          "if merged < 0 <= min(local, remote):", "if False:"),
    Guard("text that does not fit is not sent", ("P21",), MERGE,
          "return UNFIT if isinstance(value, Unfit) else Verdict(Action.WRITE, remote=value, why=why)",
          "return Verdict(Action.WRITE, remote=value, why=why)"),
    Guard("an empty source never empties at a first meeting", ("P10",), MERGE,
          "if first and is_empty(source) and not is_empty(target):", "if False:"),
    Guard("a choice respects the direction", ("P11",), MERGE,
          "to_remote = verdict.remote if rule.may_write(Side.REMOTE) else UNREAD", "to_remote = verdict.remote"),
    Guard("a formula is never written", ("P11",), MODEL,
          "return not self.source_only and self.direction is not Direction.TO_SHOPIFY",
          "return self.direction is not Direction.TO_SHOPIFY"),
    Guard("what Shopify computes is never sent", ("P11",), MODEL,
          "return self.field.writable and self.direction is not Direction.TO_GRIST",
          "return self.direction is not Direction.TO_GRIST"),
    # --- a whole row
    Guard("a deletion needs a yes", ("P9",), PLAN,
          "elif (side, key) in self.approved or (policy is Policy.APPLY and (side, key) not in self.kept):",
          "elif True:"),
    Guard("what somebody keeps is not deleted", ("P9", "P17"), PLAN,
          "(policy is Policy.APPLY and (side, key) not in self.kept)", "policy is Policy.APPLY",
          ("tests/engine/test_engine_undo_rows.py",)),
    Guard("a deletion against an edit asks", ("P1", "P3"), PLAN,
          "if edits and policy is not Policy.IGNORE:", "if False:"),
    Guard("no list proves absence in Shopify", ("P10",), PLAN,
          "thing_gone = thing is None and pair.remote in self.remote.gone", "thing_gone = thing is None"),
    Guard("an incomplete read proves nothing gone", ("P10",), MODEL,
          "return (self.complete and key not in self.rows and key not in self.outside\n",
          "return (key not in self.rows and key not in self.outside\n"),
    Guard("what a filter leaves out is left alone", ("P11",), MODEL,
          "return (self.complete and key not in self.rows and key not in self.outside\n",
          "return (self.complete and key not in self.rows\n"),
    Guard("a blocked row is not written", ("P12",), PLAN,
          "            elif not blocked:\n                self.fields(pair, row, thing)",
          "            else:\n                self.fields(pair, row, thing)"),
    Guard("a new row rests", ("P21",), PLAN, "elif key in self.resting:", "elif False:"),
    Guard("a new row waits for what is required", ("P21",), PLAN, "        if missing:", "        if False:"),
    Guard("a run over some fields deletes nothing", ("P9",), PLAN,
          "        if not self.mapping.whole:\n            return\n        side = where.other",
          "        side = where.other"),
    # --- who is who
    Guard("pairing is one to one", ("P12",), PAIRING, "if len(keys) == len(candidates) == 1:", "if True:"),
    Guard("a copy is not the thing", ("P12",), PAIRING,
          "        if mark in row_of and not", "        if False and not"),
    Guard("a freed row id is another row", ("P12",), PAIRING,
          "    return bool(telling) and all(now != was for now, was in telling)", "    return False"),
    Guard("an emptied Shopify ID stops its row", ("P12",), PAIRING,
          "        outcome.blocked.update((pair.local, pair.remote))\n        if mark",
          "        if mark"),
    Guard("a new row like a thing that has a row is held back", ("P8", "P12"), PAIRING,
          "        _hold_back(mapping, local, remote, free, outcome)\n", "", ("tests/engine/test_engine_pairing.py",)),
    # --- brakes
    Guard("brake: too many deletions", ("P9",), BRAKES, "        if gone > allowed:", "        if False:"),
    Guard("brake: a side is empty", ("P9",), BRAKES,
          "if pairs - apart >= limits.empty_from and", "if False and"),
    Guard("brake: everything changed", ("P9",), BRAKES, "if pairs >= limits.changed_from and", "if False and"),
    Guard("brake: the document was restored", ("P15",), ENGINE_FILE,
          "        if self.gathered.restored:\n", "        if False:\n", LOOKING),
    Guard("brake: the document is a copy", ("P15",), ENGINE_FILE,
          "[copied(one.mapping.resource.label, store)] if store else []", "[]", LOOKING),
    Guard("brake: a field goes back and forth", ("P4",), ENGINE_FILE,
          "flips(one.planned, changes.lately(tx, one.mapping, one.rewritten, FLIPS_SECONDS))", "[]", LOOKING),
    Guard("a brake stops the run", ("P9", "P18"), ENGINE_FILE,
          "if pulled and not self.session.go_on:", "if False:", SYNC),
    # --- the order of things in a run
    Guard("every write is fenced", ("P15",), "backend/session.py", "            self.fence(tx)\n", "", FAULTS),
    Guard("the journal comes before the request", ("P7", "P8"), ENGINE_FILE,
          "            receipts = self._apply(one, connector, batch, stamp, intent)\n",
          "            with self.session.write() as tx:\n                journal.settle(tx, intent)\n"
          "            receipts = self._apply(one, connector, batch, stamp, intent)\n", ENGINE),
    Guard("half a merge is not written", ("P1", "P2"), ENGINE_FILE,
          "if (kept := _without(op, unwritten))]", "if (kept := op)]", SYNC),
    Guard("an unknown outcome stays open", ("P7",), ENGINE_FILE,
          "        except OutcomeUnknown:\n            raise\n        except SyncError:",
          "        except OutcomeUnknown:\n            with self.session.write() as tx:\n"
          "                journal.settle(tx, intent)\n            raise\n        except SyncError:", FAULTS),
    Guard("a merge waits in Grist until it is written there", ("P2", "P7"), "backend/core/agree.py",
          "value = pending.get(change.field, change.after)", "value = change.after", ENGINE),
    Guard("an undo moves no base", ("P17",), "backend/remember.py",
          "for change in op.changes if change.why is not Why.UNDO", "for change in op.changes",
          ("tests/engine/test_engine_undo.py",)),
    Guard("an undo waits for a brake", ("P17", "P18"), ENGINE_FILE,
          "            self._pull([RESTORED] if self.gathered.restored else [])\n", "",
          ("tests/engine/test_engine_undo.py",)),
    Guard("an undo tramples no newer edit", ("P17",), "backend/core/undo.py",
          "    if now == line.after:", "    if True:", ("tests/engine/test_engine_undo.py",)),
    Guard("an undo removes no row that was edited", ("P17",), "backend/core/undo.py",
          "        return EDITED_ROW", "        pass", ("tests/engine/test_engine_undo_rows.py",)),
    Guard("an undo removes no row that became another thing", ("P9", "P17"), "backend/core/undo.py",
          "        return OTHER_ID", "        pass", ("tests/engine/test_engine_undo_rows.py",)),
    Guard("an undo removes no row that others refer to", ("P17",), "backend/core/undo.py",
          "    if line.thing in referred:", "    if False:", ("tests/engine/test_engine_undo_rows.py",)),
    Guard("what an undo leaves alone on one side stays", ("P9", "P17"), "backend/remember.py",
          "            waiting.keep_apart(tx, mapping_id, batch.apart)\n", "",
          ("tests/engine/test_engine_undo_rows.py",)),
    Guard("a new pair takes the row from the old one", ("P12",), "backend/remember.py",
          "            vacated = base.vacate(tx, mapping_id, [row for row, _, _, _ in batch.joined])\n",
          "            vacated = set()\n", DELETIONS),
    Guard("no row refers to one that nobody looked at", ("P12",), "backend/core/mapping.py",
          "and not self.unseen(target) else None", "else None", DELETIONS),
    Guard("no row refers to one that was not seen", ("P12",), "backend/core/mapping.py",
          "return None if row is None or (target, row) in self.unsure else row", "return row", DELETIONS),
    Guard("an edit right before a deletion keeps the thing", ("P1",), ENGINE_FILE,
          "            self._send(one, self.session.remote, self._still_as_seen(one))",
          "            self._send(one, self.session.remote, [op for op in one.planned.on(Side.REMOTE)\n"
          "                                                  if isinstance(op, Delete)])", DELETIONS),
    Guard("a thing that a row claims gets none of its own", ("P8", "P12"), "backend/core/pairing.py",
          "(free or row_of.get(str(mark)) not in local.rows)", "free", SYNC),
    Guard("a thing that several rows claim is no other row's", ("P8", "P12"), PAIRING,
          " and not local.proves_gone(row_of[mark]):", ":"),
    Guard("nothing is made beside what is asked about", ("P8",), PAIRING,
          "[*holders, *(unsure - holders.keys())]", "holders"),
    Guard("no witness gives away what a row claims", ("P4", "P12"), PAIRING,
          " if key not in outcome.blocked}  # somebody", "}  # somebody"),
    Guard("the second look deletes nothing", ("P9",), ENGINE_FILE,
          "ops=tuple(op for op in one.planned.ops if not isinstance(op, Delete))", "ops=one.planned.ops", DELETIONS),
    Guard("the second look moves no row", ("P9", "P12"), "backend/look.py",
          "                or _is_another(pair, one.local)}", "               }", DELETIONS),
    Guard("whose ID a row holds is looked up", ("P12",), "backend/look.py",
          "            kept |= named | self._strangers(one, local, remote)", "            kept |= named",
          ("tests/engine/test_engine_pairing.py",)),
    Guard("what may have been edited unseen is not deleted", ("P1", "P9"), "backend/core/plan.py",
          "        if not hidden:\n", "        if True:\n", DELETIONS),
    Guard("what is gone on both sides claims no row", ("P5",), PAIRING,
          "               } if remote.gone else set()", "               } if False else set()"),
    Guard("what was typed in the moment of a write is put back", ("P1", "P2"), "backend/grist/applying.py",
          "        return self._put_back(bound, items, lost, applied) if lost else {}", "        return {}",
          ("tests/grist/test_grist_lost_updates.py",)),
    # --- recovery
    Guard("what is hidden is not decided", ("P2", "P7"), RECOVER,
          "passed=gone, unclear=not gone)]", "passed=True)]", SYNC),
    Guard("what an unheard write may have written over is told", ("P1",), RECOVER,
          "        if passed:", "        if False:", SYNC),
    Guard("a turned direction meets what agreed to differ", ("P4",), "backend/work.py",
          "        for thing, pair in self.pairs.items() if places else ():", "        for thing, pair in ():", SYNC),
    Guard("where a field may no longer go is remembered at once", ("P4",), "backend/checkpoints.py",
          "                before[name], narrower = both, True", "                pass", SYNC),
    Guard("an edit of what was made meanwhile stays an edit", ("P4", "P7"), RECOVER,
          "[self._as_made(one, receipt) for receipt in receipts]", "receipts", SYNC),
    Guard("what may have been created is not created again", ("P8",), RECOVER,
          "        one.doubtful.add(row)\n", "", ENGINE),
    Guard("what the mapping forbids by now is not repeated", ("P11",), RECOVER,
          "            if not all(_may_write(one, op) for op in intent.ops):", "            if False:", SYNC),
    Guard("stock that nobody can tell of loses its base", ("P2", "P7"), RECOVER,
          "            if keyed or now is UNREAD:", "            if now is UNREAD:", SYNC),
    Guard("a sum that moved since is unclear", ("P2",), RECOVER,
          "(unclear if adds_up else passed).append(change)", "passed.append(change)", SYNC),
    # --- large writes
    Guard("what goes on at Shopify ends first", ("P7", "P15"), RECOVER,
          "        self.connectors[Side.REMOTE].halt(sizes)", "        assert sizes is not None", FILES),
    Guard("a file whose start was lost is not started again", ("P8", "P15"), "backend/shopify/bulk.py",
          "        except OutcomeUnknown:\n            return self._landed(mark)",
          "        except OutcomeUnknown:\n            return self._begin(mutation, path, mark)", FILES),
    Guard("a cancelled run ends its file", ("P15",), "backend/shopify/bulk.py",
          "            except Cancelled:\n                stop = True",
          "            except Cancelled:\n                pass", FILES),
    Guard("a file is held against what stands there afterwards", ("P1", "P2"), "backend/shopify/in_files.py",
          "    if len(stands) == len(op.changes):", "    if True:", FILES),
    Guard("what two things may not both hold is in no file", ("P2",), "backend/shopify/in_files.py",
          "name in FREED or ", "", ("tests/shopify/test_shopify_in_files.py",)),
    # --- the single variant of a product that was made in a run that died
    Guard("what no new row took is news to the next run", ("P4",), "backend/shopify/changes.py",
          "self.before.get(HELD_BACK, ())", "()", CREATING),
    Guard("no row of stock for a variant without a row", ("P4",), "backend/shopify/reading.py",
          "            return  # the stock of a variant that nobody may see yet\n", "            pass\n", CREATING),
    # --- what is recognised by its looks
    Guard("what pairs looked like is forgotten when their base moves", ("P1", "P13"), "backend/store/base.py",
          '    digests.forget(tx, [one["pair"] for one in updates])\n', "", RECOGNISING),
    Guard("what is recognised is not taken for gone", ("P9", "P10"), MODEL,
          "\n                and key not in self.recognised)", ")", ("tests/grist/test_grist_reading.py",)),
    Guard("what waits is read although it looks as agreed", ("P13",), LOOK,
          "if looks and row not in waits.rows and thing not in waits.things:", "if looks:", RECOGNISING),
    Guard("a row whose reference means another thing is read", ("P13",), ENGINE_FILE,
          "        self.looking.still_stands(one)\n", "", RECOGNISING),
    Guard("a reference is a part of what a row looks like", ("P13",), "backend/grist/reading.py",
          "                meant.append(looks.things(rule.field.target, said))\n", "                list(said)\n",
          ("tests/grist/test_grist_reading.py",)),
    Guard("a pair that another row names is read", ("P8", "P13"), LOOK,
          "        self._strangers(one, local, remote)\n        kept = {", "        kept = {", RECOGNISING),
    Guard("a recognised pair that a new row may be is read", ("P8",), LOOK,
          "        self._witnessed(one, local.seen, one.free_rows)\n        remote.look", "        remote.look",
          RECOGNISING),
    Guard("with other settings nothing is recognised", ("P13",), "backend/looks.py",
          "told = repr((reading_code(), sys.version, self.settings, meaning))",
          "told = repr((reading_code(), sys.version))", RECOGNISING),
    Guard("with other code nothing is recognised", ("P13",), "backend/looks.py",
          "told = repr((reading_code(), sys.version, self.settings, meaning))",
          "told = repr((sys.version, self.settings, meaning))", RECOGNISING),
    Guard("nothing is recognised while an earlier run is open", ("P7",), ENGINE_FILE,
          "self.recognising = not (self.gathered.cut_off or self.gathered.restored)", "self.recognising = True",
          RECOGNISING),
    # --- what waits
    Guard("a choice falls when its values move", ("P16",), WAITING,
          "        elif old.choice is not None:", "        elif False:",
          ("tests/store/test_store_waiting.py", *ENGINE)),
    Guard("what was not shown is looked for again", ("P8", "P12"), "backend/checkpoints.py",
          "hidden = sorted(row for name, row in unsure if name == mapping.name and row > 0)", "hidden: list[int] = []",
          WORLD),
    Guard("nothing is put back where it may be hidden", ("P8",), PLAN,
          "        if not self.local.shows_candidates:\n            self.refusals",
          "        if False:\n            self.refusals",
          ("tests/engine/test_engine_put_back.py",)),
    Guard("a cell kept apart is left alone", ("P16",), PLAN,
          " or (pair.remote, rule.name) in self.apart:", ":", ("tests/core", "tests/engine/test_engine_apart.py")),
    Guard("a row left as it is is left alone", ("P16",), PLAN,
          "        if (pair.remote, WHOLE_ROW) in self.apart:\n            return\n", "",
          ("tests/engine/test_engine_apart.py",)),
    Guard("a put back outlives a crash", ("P7", "P8"), "backend/work.py",
          "                if isinstance(op, Delete) or (isinstance(op, Create) and op.why is Why.CHOICE)}",
          "                if isinstance(op, Delete)}", ("tests/engine/test_engine_put_back.py",)),
    Guard("an ID that is not written yet was emptied by nobody", ("P7", "P12"), "backend/remember.py",
          "    base.unmark(tx, one.mapping.id, [op.partner for op in planned.ops if isinstance(op, Mark)])\n", "",
          DELETIONS),
    Guard("an undo removes no row that a list names", ("P17",), "backend/taking_back.py",
          "if things and rule.kind in REFERENCES and", 'if things and rule.kind == "ref" and',
          ("tests/grist/test_grist_reference_lists.py",)),
    Guard("what refers to a row that is put back is looked at", ("P4", "P9"), "backend/remember.py",
          "batch.rows_back += [thing] if op.side is Side.LOCAL else []", "pass",
          ("tests/engine/test_engine_put_back.py",)),
    Guard("an undo that died goes on with references, too", ("P7", "P17"), "backend/taking_back.py",
          "changes.half_back(tx, one.mapping, wanted.changes, wanted.runs) for", "set[str]() for",
          ("tests/engine/test_engine_undo_rows.py",)),
    Guard("what an answer is about was not seen, so it stands", ("P9", "P17"), ENGINE_FILE,
          "answered = one.deleting | one.undecided", "answered = one.deleting", DELETIONS),
    Guard("a deletion that a run did not come to is not forgotten", ("P4", "P7"), "backend/remember.py",
          "if row < 0 and thing in to_write]", "if False]", DELETIONS),
    Guard("a yes outlives a crash", ("P7", "P9"), WAITING,
          "    open_now |= {(side.value, str(key)) for side, key in applying}\n", "", DELETIONS),
)
