"""Access rules: which tables, columns, rows and cells a reader is not shown.

Grist hides in silence: reads answer 200 with less in them. Only denials of reading (`-R`) are worked out, in order of
`rulePos`, the first rule that matches a resource deciding; memo and user attributes are not.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from demo.grist import formulas
from demo.grist.document import Document
from demo.grist.schema import is_metadata

CENSORED = ["C"]


@dataclass
class Hidden:
    """What one reader is not shown of one table: rows, columns, and single cells by column."""
    rows: set[int] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    cells: dict[str, set[int]] = field(default_factory=dict)
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.everything or self.rows or self.columns or self.cells)


def hidden(document: Document, table_id: str, user: dict[str, Any]) -> Hidden:
    """What `user` (`{"Access": "owners", "Email": …}`) does not see of a table."""
    found = Hidden()
    if is_metadata(table_id) or table_id not in document.tables:
        return found
    table = document.tables[table_id]
    for col_ids, condition in _denials(document, table_id):
        formula = formulas.read(condition) if condition else None
        rows = None if formula is None or not formula.paths else {
            row for row in table.row_ids if _holds(formula, document, table_id, row, user)}
        if rows is None and formula is not None and not _holds(formula, document, table_id, 0, user):
            continue
        if col_ids == "*":
            found.everything = found.everything or rows is None
            found.rows |= rows or set()
        else:
            for col_id in col_ids.split(","):
                if rows is None:
                    found.columns.add(col_id)
                elif rows:
                    found.cells.setdefault(col_id, set()).update(rows)
    return found


def hides_anything(document: Document, user: dict[str, Any]) -> bool:
    """Whether anything at all of the document is hidden from `user`."""
    return any(hidden(document, table_id, user) for table_id in document.table_ids())


def denies_structure(document: Document, user: dict[str, Any]) -> bool:
    """Whether the rules for everything keep `user` from changing tables and columns (`-S`)."""
    return any(_applies(document, condition, user) for _, condition in _denials(document, "*", "S"))


def _applies(document: Document, condition: str, user: dict[str, Any]) -> bool:
    return not condition or _holds(formulas.read(condition), document, "", 0, user)


def _denials(document: Document, table_id: str, right: str = "R") -> Iterable[tuple[str, str]]:
    """`(colIds, condition)` of the rules of a table that deny reading, or another `right`."""
    resources, rules = document.tables["_grist_ACLResources"], document.tables["_grist_ACLRules"]
    for row in sorted(rules.row_ids, key=lambda row: rules.column("rulePos").get(row) or 0):
        resource = rules.column("resource").get(row)
        permissions = rules.column("permissionsText").get(row) or ""
        denied = permissions.partition("-")[2].partition("+")[0]
        named = resources.column("tableId").get(resource)
        if (right in denied or permissions == "none") and named in (table_id, "*"):
            yield resources.column("colIds").get(resource), rules.column("aclFormula").get(row) or ""


def _holds(formula: formulas.Formula, document: Document, table_id: str, row: int, user: dict[str, Any]) -> bool:
    try:
        return bool(formula.run(_RuleScope(document, table_id, row, user)))
    except Exception:
        return True


class _RuleScope:
    """What an access rule sees: the cells of the row in question and the user."""

    def __init__(self, document: Document, table_id: str, row: int, user: dict[str, Any]) -> None:
        self._document, self._table_id, self._row, self._user = document, table_id, row, user

    def cell(self, path: tuple[str, ...]) -> Any:
        return self._document.tables[self._table_id].column(path[0]).get(self._row)

    def name(self, word: str) -> Any:
        names = {"user": self._user, "OWNER": "owners", "EDITOR": "editors", "VIEWER": "viewers"}
        return names[word]
