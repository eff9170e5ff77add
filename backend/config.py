"""`sync.yaml`: which tables join which resources, and by which rules. Checked at the door, with line and column.

What comes out is plain settings (as the store keeps them) and the mappings made from them; `sync.example.yaml`
explains every key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, ValidationError, fields, validate

from backend.config_mistakes import MISSING, explain, listed, messages, nearest, value_at, where
from backend.core.guard import Limits
from backend.core.mapping import choose, column_id, in_order, rule_for, why_not_archived
from backend.core.model import Direction, Field, FieldRule, Mapping, Policy, Resource, Rule
from backend.core.values import LISTS, NUMBERS
from backend.errors import ConfigError
from backend.settings import parse_audit, parse_interval

if TYPE_CHECKING:
    from ruamel.yaml.error import StringMark

MAX_BYTES = 100_000
MAX_EVENTS = 20_000
MAX_DEPTH = 12
"""What is larger or deeper is no list of mappings, and would only keep everybody waiting."""
RESERVED = ("id", "manualsort", "shopify_id", "sync_status")
"""Columns that Grist has of its own, and those that we write the Shopify ID and what waits into."""


@dataclass
class Config:
    """A checked configuration. `mappings` is what the store keeps, one plain dict a mapping, defaults filled in."""

    store: str = ""
    document: str = ""
    mappings: list[dict[str, Any]] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    rest_seconds: float | None = None
    interval_seconds: int | None = None
    audit_seconds: int | None = None
    stock_audit_seconds: int | None = None
    """See `Settings`."""
    files_after_seconds: float | None = None
    """See `Settings`."""
    telling: dict[str, Any] = field(default_factory=dict)
    """`sync_log`, `status_column`: what the document is to tell itself; `grist_calls_a_day`. What is not named stays as
    it is."""


class _Create(Schema):
    in_grist = fields.Boolean(load_default=True)
    in_shopify = fields.Boolean(load_default=False)


class _Delete(Schema):
    in_grist = fields.String(load_default="propose", validate=validate.OneOf(["propose", "ignore", "apply"]))
    in_shopify = fields.String(load_default="propose", validate=validate.OneOf([p.value for p in Policy]))


class _FieldRule(Schema):
    column = fields.String(validate=validate.Length(min=1))
    direction = fields.String(validate=validate.OneOf([d.value for d in Direction]))
    on_conflict = fields.String(validate=validate.OneOf([r.value for r in Rule]))


class _Mapping(Schema):
    resource = fields.String(required=True)
    table = fields.String(validate=validate.Length(min=1))
    match = fields.List(fields.String())
    filter = fields.String(load_default="")
    only_where = fields.String(load_default="")
    create = fields.Nested(_Create, load_default=lambda: _Create().load({}))
    delete = fields.Nested(_Delete, load_default=lambda: _Delete().load({}))
    fields_ = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        data_key="fields",
        attribute="fields",
        validate=validate.Length(min=1),
    )


class _Brakes(Schema):
    deletions = fields.Integer(validate=validate.Range(min=0))
    deletions_share = fields.Float(validate=validate.Range(min=0, max=1))
    changed_share = fields.Float(validate=validate.Range(min=0, max=1))


class _Audit(Schema):
    everything = fields.Raw()
    stock = fields.Raw()


class _File(Schema):
    store = fields.String(load_default="")
    document = fields.String(load_default="")
    interval = fields.Raw()
    rest_seconds = fields.Float(validate=validate.Range(min=0))
    sync_log = fields.Boolean()
    status_column = fields.Boolean()
    grist_calls_a_day = fields.Integer(strict=True, validate=validate.Range(100, 10_000_000))
    brakes = fields.Nested(_Brakes, load_default=dict)
    audit = fields.Nested(_Audit, load_default=dict)
    files_after_minutes = fields.Float(validate=validate.Range(min=0, max=99_999))
    mappings = fields.List(fields.Nested(_Mapping), required=True, validate=validate.Length(min=1))


def load(path: Path, resources: Dict[str, Resource]) -> Config:
    """Read and check a file. Raises ConfigError with line and column of the first mistake."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.",
            cure="Name another file with --config, or write one with --init.",
        ) from error
    return parse(text, resources)


def parse(text: bytes | str, resources: Dict[str, Resource]) -> Config:
    """The configuration in `text` (YAML). Raises ConfigError."""
    if len(text) > MAX_BYTES:
        raise _too_large()
    from ruamel.yaml import YAML  # late: most processes read no file
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        _look_over(text)
        tree = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).partition('"')[2].partition('"')[0]
        raise _at(error.problem_mark, f"“{key}” stands there twice.", "Take one of the two out.") from error
    except MarkedYAMLError as error:
        said = f"This is not YAML: {error.problem or 'it cannot be read'}."
        raise _at(error.problem_mark, said, "Check indentation and quotes there.") from error
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(
            "This is not text that can be read as YAML.", cure="Save it in UTF-8, or start from sync.example.yaml."
        ) from error
    if not isinstance(tree, dict):
        said = "The configuration is empty." if tree is None else "The configuration does not begin with keys."
        raise ConfigError(said, cure="Write one with --init, or start from sync.example.yaml.", line=1, column=1)
    return _Checker(tree, resources).config()


def check(said: Dict[str, Any], resources: Dict[str, Resource]) -> Config:
    """The same of plain data, as the API is given it. Raises ConfigError with the path of the first mistake."""
    return _Checker(said, resources).config()


def _look_over(text: bytes | str) -> None:
    """Refuse, before anything is built from it, what can grow: references to other parts, endless nesting.

    Raises ConfigError, and ruamel's errors for what is no YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    depth = 0
    for number, event in enumerate(YAML(typ="rt").parse(text)):
        if isinstance(event, AliasEvent):
            raise _at(event.start_mark, f"“*{event.anchor}” refers to another part of the file.", "Write it out there.")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag:
            raise _at(event.start_mark, f"“{event.tag}” is a tag, and none is known here.", "Take it out.")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _at(event.start_mark, "This is nested too deeply.", "Start from sync.example.yaml.")
        if number > MAX_EVENTS:
            raise _too_large()


def _too_large() -> ConfigError:
    return ConfigError("The configuration is too large to be one.", cure="It holds only mappings: a page or two.")


def _at(mark: StringMark | None, message: str, cure: str) -> ConfigError:
    if mark is None:
        return ConfigError(message, cure=cure)
    return ConfigError(message, cure=cure, line=mark.line + 1, column=mark.column + 1)


def mapping_of(settings: Dict[str, Any], resources: Dict[str, Resource], mapping_id: int = 0) -> Mapping:
    """The mapping that checked settings describe."""
    resource = resources[settings["resource"]]
    rules = []
    for name, said in settings["fields"].items():
        described = resource.field(name)
        if described is not None:
            rules.append(rule_for(described, said["column"], Direction(said["direction"]), Rule(said["on_conflict"])))
    return Mapping(
        resource,
        settings["table"],
        tuple(rules),
        tuple(settings["match"]),
        settings["filter"],
        settings["only_where"],
        settings["create"]["in_grist"],
        settings["create"]["in_shopify"],
        Policy(settings["delete"]["in_grist"]),
        Policy(settings["delete"]["in_shopify"]),
        id=mapping_id,
    )


def narrowed(mappings: Sequence[Mapping], fields: Sequence[str]) -> list[Mapping]:
    """`mappings` with only `fields` (names or groups) taking part; all where none are given.

    Raises ConfigError for a name that nothing mapped answers to.
    """
    if not fields:
        return list(mappings)
    try:
        return choose(mappings, fields)
    except KeyError as error:
        groups = sorted({rule.field.group for m in mappings for rule in m.fields})
        names = sorted({rule.name for m in mappings for rule in m.fields} - set(groups))
        raise ConfigError(
            f"“{error.args[0]}” is not among the mapped fields.",
            cure=f"{nearest(str(error.args[0]), [*groups, *names])}"
            f"Known groups are {', '.join(groups)}; known fields are {', '.join(names)}.",
        ) from error


def settings_of(mapping: Mapping) -> dict[str, Any]:
    """A mapping as plain settings; `mapping_of` reads them back."""
    return {
        "resource": mapping.name,
        "table": mapping.table,
        "match": list(mapping.match),
        "filter": mapping.filter,
        "only_where": mapping.only_where,
        "create": {"in_grist": mapping.create_local, "in_shopify": mapping.create_remote},
        "delete": {"in_grist": mapping.delete_local.value, "in_shopify": mapping.delete_remote.value},
        "fields": {
            rule.name: {"column": rule.column, "direction": rule.direction.value, "on_conflict": rule.on_conflict.value}
            for rule in mapping.fields
        },
    }


class _Checker:
    """Checks a parsed tree and remembers where in the file each thing stands."""

    def __init__(self, tree: Any, resources: Dict[str, Resource]) -> None:
        self.tree = tree
        self.resources = resources

    def config(self) -> Config:
        try:
            checked = _File().load(_plain(self.tree))
        except ValidationError as error:
            raise self._first((), error) from error
        limits = Limits(**checked["brakes"])
        interval = self._interval(("interval",), checked.get("interval"), parse_interval)
        audit, stock = (self._interval(("audit", name), checked["audit"].get(name), parse_audit)
                        for name in ("everything", "stock"))
        mappings = [self._mapping(i, one) for i, one in enumerate(checked["mappings"])]
        self._once_each(mappings)
        self._check_ends(mappings)
        mappings = self._with_targets(mappings)
        return Config(
            checked["store"],
            checked["document"],
            [settings_of(m) for m in mappings],
            limits,
            checked.get("rest_seconds"),
            interval,
            audit,
            stock,
            None if checked.get("files_after_minutes") is None else checked["files_after_minutes"] * 60,
            {name: checked[name] for name in ("sync_log", "status_column", "grist_calls_a_day")
             if checked.get(name) is not None},
        )

    def _interval(self, at: tuple[Any, ...], said: Any, parse: Callable[[str], int]) -> int | None:
        """Seconds; None where nothing is said."""
        if said is None:
            return None
        if said is False and parse is parse_audit:  # YAML reads `off` as no
            return 0
        if isinstance(said, bool) or not isinstance(said, int | str):
            raise self._mistake(at, *explain(at, "", said, _known_keys))
        try:
            return parse(str(said))
        except ConfigError as error:
            raise self._mistake(at, error.message, error.cure) from error

    def _mapping(self, place: int, said: Dict[str, Any]) -> Mapping:
        at: tuple[Any, ...] = ("mappings", place)
        resource = self.resources.get(said["resource"])
        if resource is None:
            raise self._mistake(
                (*at, "resource"),
                f"There is no resource “{said['resource']}”.",
                f"{nearest(said['resource'], self.resources)}Known are {listed(self.resources)}.",
            )
        rules = tuple(self._rule((*at, "fields", name), resource, name, rule) for name, rule in said["fields"].items())
        match = tuple(said["match"]) if "match" in said else _matchable(resource, rules)
        mapping = Mapping(
            resource,
            said.get("table", resource.table),
            (*rules, *self._witnesses(at, resource, match, rules)),
            match,
            said["filter"],
            said["only_where"],
            said["create"]["in_grist"],
            said["create"]["in_shopify"],
            Policy(said["delete"]["in_grist"]),
            Policy(said["delete"]["in_shopify"]),
        )
        if mapping.filter and not resource.search:
            raise self._mistake(
                (*at, "filter"),
                f"{resource.label} cannot be filtered by Shopify's search.",
                "Take the filter out, or choose rows with only_where.",
            )
        if mapping.create_remote and not resource.creatable:
            raise self._mistake(
                (*at, "create", "in_shopify"),
                f"{resource.label} cannot be created in Shopify.",
                "Write in_shopify: false.",
            )
        if mapping.delete_remote is Policy.ARCHIVE and (why := why_not_archived(mapping)):
            raise self._mistake((*at, "delete", "in_shopify"), *why)
        self._check_columns(at, mapping)
        self._check_stock(at, mapping)
        self._check_lists(at, mapping)
        return mapping

    def _rule(self, at: tuple[Any, ...], resource: Resource, name: str, said: Any) -> FieldRule:
        described = resource.field(name)
        if described is None:
            known = [f.name for f in resource.fields]
            raise self._mistake(
                at, resource.no_field(name) or f"{resource.label} have no field “{name}”.",
                f"{nearest(name, known)}Known are {listed(known)}."
            )
        if said is None or isinstance(said, str):
            return rule_for(described, said or "")
        if not isinstance(said, dict):
            raise self._mistake(
                at, f"“{name}” names no column.", f"Write {name}: {column_id(described.label)}, for example."
            )
        try:
            rule = _FieldRule().load(said)
        except ValidationError as error:
            raise self._first(at, error) from error
        direction = Direction(rule["direction"]) if "direction" in rule else None
        on_conflict = Rule(rule["on_conflict"]) if "on_conflict" in rule else None
        if direction in (Direction.BOTH, Direction.TO_SHOPIFY) and not described.writable:
            raise self._mistake(
                (*at, "direction"),
                f"{described.label} can only be read from Shopify.",
                "Write direction: to_grist, or leave it out.",
            )
        self._check_rule(at, described, on_conflict)
        return rule_for(described, rule.get("column", ""), direction, on_conflict)

    def _check_rule(self, at: tuple[Any, ...], described: Field, rule: Rule | None) -> None:
        numbers = described.kind in NUMBERS
        if rule is Rule.MERGE and not (numbers or described.kind in LISTS):
            raise self._mistake(
                (*at, "on_conflict"),
                f"{described.label} cannot be merged: it is no number and no list.",
                "Write ask, shopify or grist.",
            )
        if rule in (Rule.HIGHER, Rule.LOWER) and not (numbers or described.kind in ("date", "datetime")):
            raise self._mistake(
                (*at, "on_conflict"),
                f"{described.label} has no higher and lower: it is no number.",
                "Write ask, shopify or grist.",
            )

    def _witnesses(
        self, at: tuple[Any, ...], resource: Resource, match: Sequence[str], rules: Sequence[FieldRule]
    ) -> Iterable[FieldRule]:
        """What rows are matched by has to stand in the table: a witness that is not mapped gets its column, filled
        from Shopify and never sent back."""
        mapped = {rule.name for rule in rules}
        for i, witness in enumerate(match):
            for name in witness.split("+"):
                described = resource.field(name)
                if described is None:
                    known = [f.name for f in resource.fields]
                    raise self._mistake(
                        (*at, "match", i),
                        f"{resource.label} have no field “{name}” to match rows by.",
                        f"{nearest(name, known)}Known are {listed(known)}.",
                    )
                if name not in mapped:
                    mapped.add(name)
                    yield rule_for(described, direction=Direction.TO_GRIST)

    def _check_columns(self, at: tuple[Any, ...], mapping: Mapping) -> None:
        seen: dict[str, FieldRule] = {}
        for rule in mapping.fields:
            column = _same(rule.column)
            if column in RESERVED:
                raise self._mistake(
                    (*at, "fields", rule.name),
                    f"Column “{rule.column}” has a use of its own and cannot hold {rule.field.label}.",
                    "Choose another name.",
                )
            if column in seen:
                raise self._mistake(
                    (*at, "fields", rule.name),
                    f"Column “{rule.column}” holds {seen[column].field.label} already.",
                    "Give each field a column of its own.",
                )
            seen[column] = rule
        toggle = seen.get(_same(mapping.only_where)) if mapping.only_where else None
        if toggle is not None and toggle.kind != "boolean":
            raise self._mistake(
                (*at, "only_where"),
                f"Column “{mapping.only_where}” holds {toggle.field.label}, so it cannot be the toggle.",
                "Name a toggle column of its own; it is made when it is missing.",
            )

    def _check_stock(self, at: tuple[Any, ...], mapping: Mapping) -> None:
        written = [
            n
            for n in ("available", "onHand")
            if n in mapping.index and mapping.rule(n).direction is not Direction.TO_GRIST
        ]
        if len(written) == 2:
            raise self._mistake(
                (*at, "fields", "onHand"),
                "Available and on hand move together in Shopify.",
                "Write only one of the two; give the other direction: to_grist.",
            )

    def _check_lists(self, at: tuple[Any, ...], mapping: Mapping) -> None:
        for words, rows in (("collections", "collectionRefs"), ("members", "memberRefs")):
            if {words, rows} <= mapping.index.keys():
                raise self._mistake(
                    (*at, "fields", rows),
                    f"{words} and {rows} are the same list, once as words and once as rows.",
                    "Map one of the two.",
                )

    def _check_ends(self, mappings: Sequence[Mapping]) -> None:
        by_name = {mapping.name: (i, mapping) for i, mapping in enumerate(mappings)}
        if "products" in by_name and "collectionRefs" in by_name["products"][1].index and \
                "collections" in by_name and "memberRefs" in by_name["collections"][1].index:
            raise self._mistake(
                ("mappings", by_name["collections"][0], "fields", "memberRefs"),
                "The collections of a product and the products of a collection are one list, seen from its two ends.",
                "Map collectionRefs of products or memberRefs of collections, not both.",
            )

    def _once_each(self, mappings: Sequence[Mapping]) -> None:
        for attribute, word in (("name", "resource"), ("table", "table")):
            seen: set[str] = set()
            for i, mapping in enumerate(mappings):
                value = getattr(mapping, attribute)
                if _same(value) in seen:
                    raise self._mistake(
                        ("mappings", i, word),
                        f"The {word} “{value}” is mapped twice.",
                        "One mapping a resource and a table.",
                    )
                seen.add(_same(value))

    def _with_targets(self, mappings: Sequence[Mapping]) -> list[Mapping]:
        """A reference needs the table that it points to. Locations are added by themselves: they are only read."""
        by_name = {mapping.name: mapping for mapping in mappings}
        for i, mapping in enumerate(mappings):
            for rule in mapping.fields:
                target = rule.field.target
                if not target or target in by_name:
                    continue
                resource = self.resources[target]
                if resource.creatable:
                    raise self._mistake(
                        ("mappings", i, "fields", rule.name),
                        f"{rule.field.label} refers to {target}, which are not mapped.",
                        f"Add a mapping for {target}, or take this field out.",
                    )
                taken = next((m for m in mappings if _same(m.table) == _same(resource.table)), None)
                if taken is not None:
                    raise self._mistake(
                        ("mappings", i, "fields", rule.name),
                        f"{rule.field.label} needs the table of {target}, and “{taken.table}” holds {taken.name}.",
                        f"Add a mapping of {target} to another table.",
                    )
                rules = tuple(rule_for(f) for f in resource.fields)
                by_name[target] = Mapping(resource, resource.table, rules, _matchable(resource, rules))
        return in_order(list(by_name.values()), list(self.resources))

    def _mistake(self, path: Iterable[Any], message: str, cure: str) -> ConfigError:
        path = tuple(path)
        line, column = where(self.tree, list(path)) if hasattr(self.tree, "lc") else (None, None)
        return ConfigError(message, cure=cure, line=line, column=column, path=path)

    def _first(self, at: tuple[Any, ...], error: ValidationError) -> ConfigError:
        """The mistake that stands first in the file; what is missing stands nowhere and comes last, since it is
        often only misspelt."""
        found = [((*at, *path), said) for path, said in messages(error.messages)]
        path, said = min(found, key=lambda one: (one[1] == MISSING, where(self.tree, list(one[0]))))
        return self._mistake(path, *explain(path, said, value_at(self.tree, path), _known_keys))


def _matchable(resource: Resource, rules: Sequence[FieldRule]) -> tuple[str, ...]:
    mapped = {rule.name for rule in rules}
    return tuple(witness for witness in resource.match if set(witness.split("+")) <= mapped)


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, list) else node


def _known_keys(path: Sequence[Any]) -> list[str]:
    """The keys that may stand under `path`."""
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    schemas = {"": _File, "brakes": _Brakes, "mappings": _Mapping, "create": _Create, "delete": _Delete}
    below_a_field = len(path) > 1 and path[-2] == "fields"
    schema = _FieldRule if below_a_field else schemas[last]
    return [one.data_key or name for name, one in schema().fields.items()]


def _same(name: str) -> str:
    """What Grist makes of a name: it keeps no two that differ only in case or in signs."""
    return column_id(name).casefold()


def default_config(
    resources: Dict[str, Resource], tables: Dict[str, tuple[str, Dict[str, str]]]
) -> list[dict[str, Any]]:
    """Settings that `--init` suggests: every usual field of each resource.

    `tables` names, by resource, the existing table that fits and which field fits which column of it; fields
    without a column there, and resources without a table, get new ones named after their labels.
    """
    suggested = []
    for resource in resources.values():
        table, columns = tables.get(resource.name, (resource.table, {}))
        chosen = [f for f in resource.fields if f.usual or f.name in columns]
        rules = tuple(rule_for(f, columns.get(f.name, column_id(f.label))) for f in chosen)
        if resource.name == "inventory":
            rules = tuple(rule_for(r.field, r.column, Direction.TO_GRIST) if r.name == "onHand" else r for r in rules)
        suggested.append(settings_of(Mapping(resource, table, rules, _matchable(resource, rules))))
    return suggested
