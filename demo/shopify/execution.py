"""Execute a document's selections: compiled once for all requests with the same text, then run object by object.

    document ── Plan ──▶ per object type: [Step(response key, resolver, how to complete the value)]

graphql-core parses and types the document; walking a page of 250 products with its executor takes tenths of a
second, which a store that stands in benchmarks cannot afford. The rules are the specification's: fields merge by
response key, a null where none may be climbs to the next place that may be null, and each error has its path.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute,
    is_abstract_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    value_from_ast_untyped,
)
from graphql.error import located_error
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from .context import Context
from .schema import resolver_of, type_name_of

# Where a value stands: (the place above, its key or index), None for the root.
Place = tuple[Any, Any] | None
Complete = Callable[[Any, "Run", Place], Any]


class _NullClimbs(Exception):
    """A value that may not be null is: the object around it becomes null. The error has been noted."""


class Step:
    """One field of one object type: how it is resolved and how its value is completed."""

    __slots__ = ("arguments", "complete", "field_name", "key", "needs_variables", "nodes", "nullable", "operation",
                 "parent_type", "resolve")

    def __init__(self, plan: Plan, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> None:
        self.key, self.nodes, self.operation, self.parent_type = key, nodes, plan.operation, parent
        self.field_name = nodes[0].name.value
        definition = parent.fields[self.field_name]
        self.resolve = resolver_of(parent.name, self.field_name)
        self.needs_variables = bool(nodes[0].arguments) and plan.has_variables
        self.arguments = None if self.needs_variables else get_argument_values(definition, nodes[0])
        self.nullable = not is_non_null_type(definition.type)
        self.complete = plan.completer(definition.type, nodes)


class Plan:
    """The compiled form of one operation; its steps are made when an object of their type is first met."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.schema, self.document, self.operation = schema, document, operation
        self.fragments = {node.name.value: node for node in document.definitions
                          if isinstance(node, FragmentDefinitionNode)}
        self.has_variables = bool(operation.variable_definitions)
        self._selections: dict[tuple[int, ...], Selection] = {}
        self.root = Selection(self, [operation.selection_set])

    def run(self, context: Context, given: Mapping[str, Any], root: Any = None) -> tuple[Any, list[Any]]:
        """`(data, errors)`; the variables have been checked by `variables.read`."""
        values = get_variable_values(self.schema, self.operation.variable_definitions or (), dict(given))
        assert isinstance(values, VariableValues), values
        run = Run(self, context, values)
        type_ = (self.schema.mutation_type if self.operation.operation == OperationType.MUTATION
                 else self.schema.query_type)
        assert type_ is not None
        try:
            data = run.object(root, type_, self.root, None)
        except _NullClimbs:
            data = None
        return data, run.errors

    def selection(self, nodes: list[FieldNode]) -> Selection:
        """What the nodes of one response key select together."""
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        key = tuple(id(each) for each in sets)
        found = self._selections.get(key)
        if found is None:
            found = self._selections[key] = Selection(self, sets)
        return found

    def completer(self, type_: Any, nodes: list[FieldNode]) -> Complete:
        """How a resolved value of the type becomes a part of the answer."""
        if is_non_null_type(type_):
            return _never_null(self.completer(type_.of_type, nodes), nodes)
        if is_list_type(type_):
            return _each(self.completer(type_.of_type, nodes), nullable=not is_non_null_type(type_.of_type))
        if is_leaf_type(type_):
            return _leaf(type_)
        selection = self.selection(nodes)
        if is_abstract_type(type_):
            def complete_abstract(value: Any, run: Run, place: Place) -> Any:
                if value is None:
                    return None
                return run.object(value, self.schema.type_map[type_name_of(value)], selection, place)
            return complete_abstract

        def complete_object(value: Any, run: Run, place: Place) -> Any:
            return None if value is None else run.object(value, type_, selection, place)
        return complete_object


class Selection:
    """Selection sets that belong together, collected for each concrete type that turns up."""

    def __init__(self, plan: Plan, sets: list[SelectionSetNode]) -> None:
        self.plan, self.sets = plan, sets
        self.conditional = any(_has_conditions(each, plan.fragments) for each in sets)
        self._steps: dict[str, list[Step | str]] = {}

    def steps(self, type_: GraphQLObjectType, run: Run) -> list[Step | str]:
        """The steps for an object of the type; a plain text stands for `__typename` under that key."""
        held = self._steps if not self.conditional else run.conditional.setdefault(id(self), {})
        found = held.get(type_.name)
        if found is None:
            grouped: dict[str, list[FieldNode]] = {}
            for selection_set in self.sets:
                self._collect(selection_set, type_, run.values, grouped)
            found = held[type_.name] = [
                key if nodes[0].name.value == "__typename" else
                _introspecting(self.plan, key, nodes) if nodes[0].name.value in ("__schema", "__type") else  # type: ignore[misc]
                Step(self.plan, type_, key, nodes) for key, nodes in grouped.items()]
        return found

    def _collect(self, selection_set: SelectionSetNode, type_: GraphQLObjectType, values: Mapping[str, Any],
                 grouped: dict[str, list[FieldNode]]) -> None:
        for node in selection_set.selections:
            if _skipped(node, values):
                continue
            if isinstance(node, FieldNode):
                grouped.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                continue
            if isinstance(node, InlineFragmentNode):
                condition, inner = node.type_condition, node.selection_set
            else:
                assert isinstance(node, FragmentSpreadNode)
                fragment = self.plan.fragments[node.name.value]
                condition, inner = fragment.type_condition, fragment.selection_set
            if condition is None or self._fits(condition.name.value, type_):
                self._collect(inner, type_, values, grouped)

    def _fits(self, condition: str, type_: GraphQLObjectType) -> bool:
        named = self.plan.schema.type_map[condition]
        return named is type_ or (is_abstract_type(named) and self.plan.schema.is_sub_type(named, type_))  # type: ignore[arg-type]


class Run:
    """One execution: the errors so far, and the arguments that this request's variables give."""

    def __init__(self, plan: Plan, context: Context, variables: VariableValues) -> None:
        self.plan, self.context, self.variables = plan, context, variables
        self.values = variables.coerced
        self.errors: list[Any] = []
        self.conditional: dict[int, dict[str, list[Step | str]]] = {}
        self._arguments: dict[int, dict[str, Any]] = {}

    def object(self, source: Any, type_: Any, selection: Selection, place: Place) -> dict[str, Any]:
        """The answer for one object. Raises _NullClimbs when a part of it is null and may not be."""
        context, answer = self.context, {}
        for step in selection.steps(type_, self):
            if step.__class__ is str:
                answer[step] = type_.name
                continue
            here = (place, step.key)  # type: ignore[union-attr]
            answer[step.key] = self.field(step, source, here, context)  # type: ignore[union-attr, arg-type]
        return answer

    def field(self, step: Step, source: Any, here: Place, context: Context) -> Any:
        arguments = step.arguments
        try:
            if arguments is None:
                arguments = self.arguments_of(step)
            context.step, context.place = step, here
            return step.complete(step.resolve(source, arguments, context), self, here)
        except _NullClimbs:
            if step.nullable:
                return None
            raise
        except GraphQLError as error:
            self.note(error, step.nodes, here)
            if step.nullable:
                return None
            raise _NullClimbs from None

    def arguments_of(self, step: Step) -> dict[str, Any]:
        held = self._arguments.get(id(step))
        if held is None:
            held = self._arguments[id(step)] = get_argument_values(
                step.parent_type.fields[step.field_name], step.nodes[0], self.variables)
        return held

    def note(self, error: GraphQLError, nodes: list[FieldNode], here: Place) -> None:
        entry = located_error(error, nodes if not error.nodes else None, list(path_of(here)))
        self.errors.append(entry)


def path_of(place: Place) -> Iterator[Any]:
    """The keys from the root to the place."""
    keys = []
    while place is not None:
        place, key = place
        keys.append(key)
    return reversed(keys)


def _never_null(inner: Complete, nodes: list[FieldNode]) -> Complete:
    def complete(value: Any, run: Run, place: Place) -> Any:
        completed = inner(value, run, place)
        if completed is None:
            if value is None:
                run.note(GraphQLError("Cannot return null for non-nullable field "
                                      f"{'.'.join(str(each) for each in path_of(place))}."), nodes, place)
            raise _NullClimbs
        return completed
    return complete


def _each(inner: Complete, *, nullable: bool) -> Complete:
    def complete(value: Any, run: Run, place: Place) -> Any:
        if value is None:
            return None
        if not nullable:
            return [inner(entry, run, (place, index)) for index, entry in enumerate(value)]
        return [_or_null(inner, entry, run, (place, index)) for index, entry in enumerate(value)]
    return complete


def _or_null(inner: Complete, entry: Any, run: Run, place: Place) -> Any:
    try:
        return inner(entry, run, place)
    except _NullClimbs:
        return None


# Enum values that older API versions have and the schema at hand has not.
_GONE_VALUES = {"ITEM_NOT_STOCKED_AT_LOCATION"}


def _leaf(type_: Any) -> Complete:
    shown = getattr(type_, "coerce_output_value", None) or type_.serialize
    if is_enum_type(type_):
        names = frozenset(type_.values) | _GONE_VALUES

        def complete_enum(value: Any, run: Run, place: Place) -> Any:
            return value if value is None or value in names else shown(value)
        return complete_enum
    if type_.name in ("String", "ID"):
        def complete_text(value: Any, run: Run, place: Place) -> Any:
            return value if value is None or value.__class__ is str else shown(value)
        return complete_text

    def complete(value: Any, run: Run, place: Place) -> Any:
        return None if value is None else shown(value)
    return complete


def _introspecting(plan: Plan, key: str, nodes: list[FieldNode]) -> Any:
    """`__schema` and `__type` are answered by graphql-core, in a document of their own."""
    step = Step.__new__(Step)
    step.key, step.nodes, step.operation = key, nodes, plan.operation
    step.field_name, step.nullable, step.needs_variables = nodes[0].name.value, True, False
    step.arguments = {}
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY, directives=(), name=None,
        variable_definitions=plan.operation.variable_definitions,
        selection_set=SelectionSetNode(selections=tuple(nodes)))
    document = DocumentNode(definitions=(operation, *plan.fragments.values()))

    def resolve(source: Any, arguments: dict[str, Any], context: Context) -> Any:
        answer: Any = execute(plan.schema, document, variable_values=dict(context.variables))
        return (answer.data or {}).get(key)
    step.resolve = resolve
    step.complete = lambda value, run, place: value
    return step


def _skipped(node: Any, values: Mapping[str, Any]) -> bool:
    for directive in node.directives or ():
        if directive.name.value in ("skip", "include") and directive.arguments:
            wanted = value_from_ast_untyped(directive.arguments[0].value, dict(values))
            if bool(wanted) == (directive.name.value == "skip"):
                return True
    return False


def _has_conditions(selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether fields of this level come and go with the request's variables."""
    for node in selection_set.selections:
        if any(directive.name.value in ("skip", "include") for directive in node.directives or ()):
            return True
        inner = (node.selection_set if isinstance(node, InlineFragmentNode) else
                 fragments[node.name.value].selection_set if isinstance(node, FragmentSpreadNode) else None)
        if inner is not None and _has_conditions(inner, fragments):
            return True
    return False


