"""Shopify's search syntax (facts §5): parse a query, warn about what it cannot mean, match documents.

    "flat peak cap" accessories -vendor:VANS (tag:a OR tag:b) price:>=10 updated_at:>'2026-11-20T10:00:00Z'

Nothing is ever refused: an unknown field is a warning and its term is ignored, so everything matches it, and
broken syntax is read as literally as it can be.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Document = Mapping[str, Any]
Match = Callable[[Document], bool]


@dataclass(frozen=True)
class Field:
    """How one filter of a resource matches.

    kind: text (words, any order), order_name (`#1001` or `1001`), payload (whatever a webhook says there),
    exact (whole value, case ignored), id, number, date, flag, or enum with its values.
    """

    kind: str
    values: tuple[str, ...] = ()


@dataclass
class Query:
    """A parsed query: `matches(document)`, its tree as Shopify shows it, and the warnings about it."""

    text: str
    parsed: dict[str, Any] | None
    matches: Match
    warnings: list[dict[str, str]] = field(default_factory=list)

    def report(self, path: list[Any]) -> dict[str, Any]:
        """The entry of `extensions.search`."""
        return {"path": path, "query": self.text, "parsed": self.parsed, "warnings": self.warnings}


def parse(text: str | None, fields: Mapping[str, Field], now: datetime, *, bad_values_match: bool = True) -> Query:
    """Read a query against the filters of a resource; a blank query matches everything.

    bad_values_match: what a term with a value that its field does not take matches, everything or nothing.
    """
    if text is None or not text.strip():
        return Query(text or "", None, lambda document: True)
    reader = _Reader(text, fields, now)
    reader.bad_values_match = bad_values_match
    node = reader.either()
    warnings = list({(w["field"], w["message"]): w for w in reader.warnings}.values())
    return Query(text, node.tree if node else None, node.match if node else lambda document: True, warnings)


@dataclass
class _Node:
    tree: dict[str, Any]
    match: Match


_TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<minus>-(?=[^\s]))
  | (?P<term>(?:[A-Za-z_][\w.$-]*):(?:>=|<=|>|<|=)?(?:"[^"]*"|'[^']*'|\([^\s]*|[^\s()]*))
  | (?P<phrase>"[^"]*"|'[^']*')
  | (?P<word>[^\s()]+)
""", re.VERBOSE)


class _Reader:
    """A small descent: either = both (OR both)*, both = single+ (AND may be written), single = NOT, group or term."""

    def __init__(self, text: str, fields: Mapping[str, Field], now: datetime) -> None:
        self.tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)
                       if match.lastgroup != "space"]
        self.at = 0
        self.fields = fields
        self.now = now
        self.warnings: list[dict[str, str]] = []
        self.bad_values_match = True

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def either(self) -> _Node | None:
        parts = [self.both()]
        while self.peek()[1] == "OR":
            self.at += 1
            parts.append(self.both())
        nodes = [part for part in parts if part is not None]
        if len(nodes) < 2:
            return nodes[0] if nodes else None
        return _Node({"or": [node.tree for node in nodes]},
                     lambda document: any(node.match(document) for node in nodes))

    def both(self) -> _Node | None:
        nodes: list[_Node] = []
        while True:
            kind, text = self.peek()
            if kind in ("end", "close") or text == "OR":
                break
            if text == "AND":
                self.at += 1
                continue
            node = self.single()
            if node is not None:
                nodes.append(node)
        if len(nodes) < 2:
            return nodes[0] if nodes else None
        return _Node({"and": [node.tree for node in nodes]},
                     lambda document: all(node.match(document) for node in nodes))

    def single(self) -> _Node | None:
        kind, text = self.peek()
        self.at += 1
        if kind == "minus" or text == "NOT":
            if self.peek()[0] in ("end", "close"):
                return None
            node = self.single()
            return node and _Node({"not": node.tree}, lambda document: not node.match(document))
        if kind == "open":
            inner = self.either()
            if self.peek()[0] == "close":
                self.at += 1
            return inner
        if kind == "term":
            name, value = text.split(":", 1)
            return self.term(name, value)
        return self.bare(_unquoted(text))

    def bare(self, text: str) -> _Node:
        wanted = _words(text)
        prefix = text.endswith("*") and len(text) > 1
        return _Node({"field": "default", "match_all": text},
                     lambda document: _has_words(document.get("default", ()), wanted, prefix))

    def term(self, name: str, value: str) -> _Node | None:
        operator, rest = _split_operator(value)
        text = _unquoted(rest)
        tree: dict[str, Any] = {"field": name, "match_all": text}
        if operator != "=":
            tree = {"field": name, "range": {{">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}[operator]: text}}
        if name == "metafields" or name.startswith("metafields."):
            return _Node(tree, _metafield(name, text))
        if name == "tag_not" and "tag" in self.fields:
            wanted_tags = {part.strip().lower() for part in text.split(",")}
            return _Node(tree, lambda document: not wanted_tags & {tag.lower() for tag in _values(document, "tag")})
        spec = self.fields.get(name)
        if spec is None:
            self.warn(name, "Invalid search field for this query.", "invalid_field")
            return _Node(tree, lambda document: True)
        try:
            match = _matcher(name, spec, operator, text, self.now)
        except ValueError:
            self.warn(name, f"Input `{text}` is not an accepted value.", "invalid_value")
            return _Node(tree, lambda document: self.bad_values_match)
        return _Node(tree, match)

    def warn(self, name: str, message: str, code: str) -> None:
        self.warnings.append({"field": name, "message": message, "code": code})


def _split_operator(value: str) -> tuple[str, str]:
    for operator in (">=", "<=", ">", "<", "="):
        if value.startswith(operator):
            return operator, value[len(operator):]
    return "=", value


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _words(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text.lower())


def _has_words(texts: Any, wanted: list[str], prefix: bool) -> bool:
    """Whether one of the texts holds the wanted words side by side; the last one may be a beginning."""
    for text in texts:
        if prefix and wanted and str(text).lower().startswith(" ".join(wanted)):
            return True
        for words in (_words(text), re.findall(r"\w+", str(text).lower())):
            for start in range(len(words) - len(wanted) + 1):
                found = words[start:start + len(wanted)]
                if found == wanted or (prefix and found[:-1] == wanted[:-1] and found[-1].startswith(wanted[-1])):
                    return True
    return not wanted


def _matcher(name: str, spec: Field, operator: str, text: str, now: datetime) -> Match:
    """The test of one term; ValueError when the value cannot be meant."""
    if text == "*" and operator == "=":
        return lambda document: bool(_values(document, name))
    if spec.kind == "text":
        return lambda document: _has_words(_values(document, name), _words(text), text.endswith("*"))
    if spec.kind == "order_name":  # with or without its sign
        bare = text.lstrip("#").lower()
        return lambda document: any(value.lstrip("#").lower() == bare for value in _values(document, name))
    if spec.kind == "flag":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return lambda document: (text.lower() == "true") in _values(document, name)
    if spec.kind in ("id", "number", "date"):
        wanted = {"id": _id, "number": float, "date": lambda value: _moment(value, now)}[spec.kind](text)
        whole_day = spec.kind == "date" and operator == "=" and len(text) <= 10
        compare = _COMPARE["day" if whole_day else operator]
        return lambda document: any(value is not None and compare(value, wanted) for value in _values(document, name))
    if spec.kind == "payload":
        return _of_payload(name, operator, text)
    wanted_texts = [part.strip().lower() for part in text.split(",")] if spec.kind == "enum" else [text.lower()]
    if spec.kind == "enum" and any(wanted not in spec.values for wanted in wanted_texts):
        raise ValueError(text)
    if spec.kind == "exact" and text.endswith("*") and len(text) > 1:
        return lambda document: any(value.lower().startswith(text[:-1].lower()) for value in _values(document, name))
    return lambda document: any(value.lower() in wanted_texts for value in _values(document, name))


def _of_payload(name: str, operator: str, text: str) -> Match:
    """A field of a webhook's payload: numbers compare as numbers, everything else as text."""
    def match(document: Document) -> bool:
        for value in _values(document, name):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            try:
                pair: tuple[Any, Any] = (float(shown), float(text))
            except ValueError:
                pair = (shown.lower(), text.lower())
            if text.endswith("*") and operator == "=" and shown.lower().startswith(text[:-1].lower()):
                return True
            if _COMPARE[operator](*pair):
                return True
        return False
    return match


def _metafield(name: str, text: str) -> Match:
    wanted = text.lower()

    def match(document: Document) -> bool:
        value = document.get("metafields", {}).get(name.removeprefix("metafields."))
        return value is not None and (wanted == "*" or str(value).lower() == wanted)
    return match


def _values(document: Document, name: str) -> Any:
    value = document.get(name)
    return () if value is None else value if isinstance(value, (list, tuple)) else (value,)


def _id(text: str) -> int:
    return int(text.rsplit("/", 1)[-1])


def _moment(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: value == wanted,
    ">": lambda value, wanted: value > wanted,
    ">=": lambda value, wanted: value >= wanted,
    "<": lambda value, wanted: value < wanted,
    "<=": lambda value, wanted: value <= wanted,
    "day": lambda value, wanted: wanted <= value < wanted + timedelta(days=1),
}
