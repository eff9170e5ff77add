"""A bulk mutation's lines: the mutation runs once for each line of variables, the answers are the result (facts §4)."""
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import limits, variables
from ..context import Context
from ..errors import RequestRefused
from ..execution import Plan
from .lines import Line

if TYPE_CHECKING:
    from ..state import Store
    from .operations import BulkOperation


def answers(store: Store, plan: Plan, operation: BulkOperation) -> Iterator[list[Line]]:
    """One answer a line of the uploaded file, each with its `__lineNumber` from 0. A bad line has `errors` only."""
    path = store.bulks.blobs.find(operation.upload_key)
    assert path is not None
    with path.open("rb") as stream:
        for number, line in enumerate(stream):
            if line.strip():
                answer = _answer(store, plan, line, operation.version)
                answer["__lineNumber"] = number
                yield [Line(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), is_root=True)]


def _answer(store: Store, plan: Plan, line: bytes, version: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError:
        return {"errors": [{"message": "Invalid JSON in the input file."}]}
    if not isinstance(given, dict):
        return {"errors": [{"message": "A line of the input file must be a JSON object."}]}
    try:
        values = variables.read(plan.schema, plan.operation, given)
        limits.check_sizes(plan.operation, values)
    except RequestRefused as refused:
        return {"errors": refused.errors}
    context = Context(store, values, version=version)
    store.stream.by_app = True
    try:
        data, errors = plan.run(context, given)
    finally:
        store.stream.by_app = False
    answer: dict[str, Any] = {"data": data}
    if errors:
        answer["errors"] = [error.formatted for error in errors]
    return answer
