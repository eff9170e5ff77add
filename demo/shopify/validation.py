"""Check a document against the schema, with the messages and error shapes of Shopify's server (facts §2).

graphql-core has a validator of its own, but a client meets Shopify's words: this one walks the document once and
speaks those. Errors come in the order of the document; any of them refuses the whole request.
"""
from __future__ import annotations

from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_location,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_input_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    is_scalar_type,
    parse,
    print_ast,
    type_from_ast,
)
from graphql.language import Lexer, Source, TokenKind

from .errors import RequestRefused
from .ids import is_global_id

Entry = dict[str, Any]


def parsed(text: str) -> DocumentNode:
    """The document's tree; RequestRefused with PARSE_ERROR when it is not GraphQL."""
    try:
        return parse(text)
    except GraphQLError as error:
        raise RequestRefused([_parse_error(text, error)]) from error
    except RecursionError as error:
        raise RequestRefused([{"message": "query is nested too deeply",
                               "extensions": {"code": "PARSE_ERROR"}}]) from error


def problems(schema: GraphQLSchema, document: DocumentNode, unknown: frozenset[str] = frozenset()) -> list[Entry]:
    """Everything that is wrong with a document, [] when it may run. `unknown` are directives that the version which
    answers has not got yet."""
    return _Walk(schema, document, unknown).run()


def operation_title(operation: OperationDefinitionNode) -> str:
    """How paths name an operation: `query Products`, or only `query`."""
    return operation.operation.value + (f" {operation.name.value}" if operation.name else "")


def _parse_error(text: str, error: GraphQLError) -> Entry:
    tokens = []
    lexer = Lexer(Source(text))
    where = error.positions[0] if error.positions else 0
    try:
        while True:
            token = lexer.advance()
            if token.kind == TokenKind.EOF or token.start > where:
                break
            tokens.append(token)
    except GraphQLError:
        location = error.locations[0] if error.locations else get_location(Source(text), 0)
        bad = text[where:where + 1]
        return _parse_entry(f'syntax error, unexpected invalid token ("{bad}") at '
                            f"[{location.line}, {location.column}]", location.line, location.column)
    if where >= len(text.rstrip()) or not tokens:
        if not tokens:
            return _parse_entry("Unexpected end of document", 1, 1)
        last = tokens[-1]
        return _parse_entry(f"syntax error, unexpected end of file at [{last.line}, {last.column}]",
                            last.line, last.column)
    at = tokens[-1]
    names = {TokenKind.BRACE_L: "LCURLY", TokenKind.BRACE_R: "RCURLY", TokenKind.PAREN_L: "LPAREN",
             TokenKind.PAREN_R: "RPAREN", TokenKind.BRACKET_L: "LBRACKET", TokenKind.BRACKET_R: "RBRACKET",
             TokenKind.COLON: "COLON", TokenKind.EQUALS: "EQUALS", TokenKind.BANG: "BANG", TokenKind.AT: "DIR_SIGN",
             TokenKind.DOLLAR: "VAR_SIGN", TokenKind.SPREAD: "ELLIPSIS", TokenKind.PIPE: "PIPE",
             TokenKind.AMP: "AMP", TokenKind.NAME: "IDENTIFIER", TokenKind.INT: "INT", TokenKind.FLOAT: "FLOAT",
             TokenKind.STRING: "STRING", TokenKind.BLOCK_STRING: "STRING"}
    shown = text[at.start:at.end]
    return _parse_entry(f'syntax error, unexpected {names.get(at.kind, "UNKNOWN_CHAR")} ("{shown}") at '
                        f"[{at.line}, {at.column}]", at.line, at.column)


def _parse_entry(message: str, line: int, column: int) -> Entry:
    return {"message": message, "locations": [{"line": line, "column": column}], "extensions": {"code": "PARSE_ERROR"}}


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, unknown: frozenset[str]) -> None:
        self.schema, self.document, self.unknown = schema, document, unknown
        self.errors: list[Entry] = []
        self.dead: set[int] = set()  # nodes that the server does not know: it looks at nothing below them
        self.fragments = {node.name.value: node for node in document.definitions
                          if isinstance(node, FragmentDefinitionNode)}
        self.declared: dict[str, VariableDefinitionNode] = {}

    def run(self) -> list[Entry]:
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        names = [node.name.value for node in operations if node.name]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            twice = [node for node in operations if node.name and node.name.value == name]
            self.errors.append({"message": f'Operation name "{name}" must be unique',
                                "locations": [_location(node) for node in twice], "path": [],
                                "extensions": {"code": "uniquelyNamedOperations", "operationName": name}})
        for definition in self.document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self.operation(definition)
            elif isinstance(definition, FragmentDefinitionNode):
                self.fragment(definition)
        self.unused_fragments(operations)
        return self.errors

    def add(self, node: Node, message: str, path: list[Any], code: str, **extensions: Any) -> None:
        self.errors.append({"message": message, "locations": [_location(node)], "path": path,
                            "extensions": {"code": code, **extensions}})
        if code in ("undefinedDirective", "undefinedField", "argumentNotAccepted"):
            self.dead.add(id(node))

    # --- operations and fragments ---------------------------------------------------------------------

    def operation(self, operation: OperationDefinitionNode) -> None:
        path: list[Any] = [operation_title(operation)]
        root = self.schema.get_root_type(operation.operation)
        self.declared = {node.variable.name.value: node for node in operation.variable_definitions or ()}
        if root is None:
            self.add(operation, f"Schema is not configured for {operation.operation.value}s", path,
                     "missingQueryConfiguration")
            return
        for name, definition in self.declared.items():
            self.variable(name, definition, path)
        self.directives(operation.directives, path)
        self.selections(operation.selection_set, root, path)
        self.variables_used(operation, path)

    def variable(self, name: str, definition: VariableDefinitionNode, path: list[Any]) -> None:
        declared = type_from_ast(self.schema, definition.type)
        type_name = print_ast(definition.type)
        bare = type_name.strip("[]!")
        if declared is None:
            self.add(definition, f"{bare} isn't a defined input type (on ${name})", path, "variableRequiresValidType",
                     typeName=bare, variableName=name)
        elif not is_input_type(declared):
            self.add(definition, f"{bare} isn't a valid input type (on ${name})", path, "variableRequiresValidType",
                     typeName=bare, variableName=name)
        elif definition.default_value is not None and not self.fits(definition.default_value, declared):
            self.add(definition, f"Default value for ${name} doesn't match type {type_name}", path,
                     "defaultValueInvalidType", variableName=name, typeName=type_name)

    def variables_used(self, operation: OperationDefinitionNode, path: list[Any]) -> None:
        used: dict[str, tuple[Node, list[Any]]] = {}
        _collect_variables(operation, self.fragments, used, path, set(), self.dead)
        owner = operation.name.value if operation.name else f"anonymous {operation.operation.value}"
        for name in self.declared:
            if name not in used:
                self.add(operation, f"Variable ${name} is declared by {owner} but not used", path, "variableNotUsed",
                         variableName=name)
        for name, (node, where) in used.items():
            if name not in self.declared:
                self.add(node, f"Variable ${name} is used by {owner} but not declared", where, "variableNotDefined",
                         variableName=name)

    def fragment(self, fragment: FragmentDefinitionNode) -> None:
        path: list[Any] = [f"fragment {fragment.name.value}"]
        target = self.condition(fragment, fragment.type_condition.name.value, path)
        if target is not None:
            self.declared = {}
            self.selections(fragment.selection_set, target, path)

    def condition(self, node: Node, name: str, path: list[Any]) -> Any:
        """The type that a fragment stands on, or None after saying what is wrong with it."""
        target = self.schema.type_map.get(name)
        if target is None:
            self.add(node, f"No such type {name}, so it can't be a fragment condition", path, "undefinedType",
                     typeName=name)
            return None
        if not is_composite_type(target):
            self.add(node, f"Invalid fragment on type {name} (must be Union, Interface or Object)", path,
                     "fragmentOnNonCompositeType", typeName=name)
            return None
        return target

    def unused_fragments(self, operations: list[OperationDefinitionNode]) -> None:
        used: set[str] = set()
        for operation in operations:
            _collect_spreads(operation.selection_set, self.fragments, used)
        for name, fragment in self.fragments.items():
            if name not in used:
                self.add(fragment, f"Fragment {name} was defined, but not used", [f"fragment {name}"],
                         "useAndDefineFragment", fragmentName=name)

    # --- selections -----------------------------------------------------------------------------------

    def selections(self, selection_set: Any, parent: Any, path: list[Any]) -> None:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                self.field(node, parent, path)
            elif isinstance(node, InlineFragmentNode):
                name = node.type_condition.name.value if node.type_condition else None
                where = [*path, f"... on {name}" if name else "..."]
                self.directives(node.directives, where)
                target = self.condition(node, name, where) if name else parent
                if target is not None and self.possible(node, target, parent, where, None):
                    self.selections(node.selection_set, target, where)
            elif isinstance(node, FragmentSpreadNode):
                self.spread(node, parent, path)
        self.conflicts(selection_set, path)

    def spread(self, node: FragmentSpreadNode, parent: Any, path: list[Any]) -> None:
        name = node.name.value
        where = [*path, f"... {name}"]
        self.directives(node.directives, where)
        fragment = self.fragments.get(name)
        if fragment is None:
            self.add(node, f"Fragment {name} was used, but not defined", where, "useAndDefineFragment",
                     fragmentName=name)
            return
        target = self.schema.type_map.get(fragment.type_condition.name.value)
        if target is not None:
            self.possible(node, target, parent, where, name)

    def possible(self, node: Node, target: Any, parent: Any, path: list[Any], name: str | None) -> bool:
        if target is parent or not is_composite_type(target):
            return True
        mine = set(self.schema.get_possible_types(target)) if is_abstract_type(target) else {target}
        theirs = set(self.schema.get_possible_types(parent)) if is_abstract_type(parent) else {parent}
        if mine & theirs:
            return True
        title = f"{name} on {target.name}" if name else f"on {target.name}"
        self.add(node, f"Fragment {title} can't be spread inside {parent.name}", path, "cannotSpreadFragment",
                 typeName=target.name, fragmentName=name or "unknown", parentName=parent.name)
        return False

    def field(self, node: FieldNode, parent: Any, path: list[Any]) -> None:
        name = node.name.value
        where = [*path, node.alias.value if node.alias else name]
        if name == "__typename":
            return
        if name in ("__schema", "__type") and parent is self.schema.query_type:
            return  # introspection: graphql-core knows these
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None:
            self.add(node, f"Field '{name}' doesn't exist on type '{parent.name}'", where, "undefinedField",
                     typeName=parent.name, fieldName=name)
            return
        self.directives(node.directives, where)
        self.arguments(node, definition.args, "Field", name, where)
        named = get_named_type(definition.type)
        if is_leaf_type(named) and node.selection_set is not None:
            chosen = ", ".join(f'"{part.name.value}"' if isinstance(part, FieldNode) else '"..."'
                               for part in node.selection_set.selections)
            self.add(node, f"Selections can't be made on {'scalars' if is_scalar_type(named) else 'enums'} (field "
                     f"'{name}' returns {named.name} but has selections [{chosen}])", where, "selectionMismatch",
                     nodeName=f"field '{name}'", typeName=named.name)
        elif not is_leaf_type(named) and node.selection_set is None:
            self.add(node, f"Field must have selections (field '{name}' returns {named.name} but has no selections. "
                     f"Did you mean '{name} {{ ... }}'?)", where, "selectionMismatch",
                     nodeName=f"field '{name}'", typeName=named.name)
        elif node.selection_set is not None:
            self.selections(node.selection_set, named, where)

    def directives(self, nodes: Any, path: list[Any]) -> None:
        for node in nodes or ():
            assert isinstance(node, DirectiveNode)
            name = node.name.value
            directive = self.schema.get_directive(name)
            if directive is None or name in self.unknown:
                self.add(node, f"Directive @{name} is not defined", path, "undefinedDirective", directiveName=name)
            else:
                self.arguments(node, directive.args, "Directive", name, path)

    def conflicts(self, selection_set: Any, path: list[Any]) -> None:
        """Two fields under one answer's name must be the same field with the same arguments."""
        seen: dict[str, FieldNode] = {}
        for node in selection_set.selections:
            if not isinstance(node, FieldNode):
                continue
            key = node.alias.value if node.alias else node.name.value
            first = seen.setdefault(key, node)
            if first is node:
                continue
            if first.name.value != node.name.value:
                kind, mine, other = "field", first.name.value, node.name.value
            elif _arguments_text(first) != _arguments_text(node):
                kind, mine, other = "argument", _arguments_text(first), _arguments_text(node)
            else:
                continue
            title = "a field conflict" if kind == "field" else "an argument conflict"
            self.errors.append({"message": f"Field '{key}' has {title}: {mine} or {other}?",
                                "locations": [_location(first), _location(node)], "path": [],
                                "extensions": {"code": "fieldConflict", "fieldName": key,
                                               "conflicts": f"{mine} or {other}"}})

    # --- arguments ------------------------------------------------------------------------------------

    def arguments(self, node: Any, definitions: Any, kind: str, name: str, path: list[Any]) -> None:
        given = {argument.name.value: argument for argument in node.arguments or ()}
        for key, argument in given.items():
            definition = definitions.get(key)
            if definition is None:
                self.add(argument, f"{kind} '{name}' doesn't accept argument '{key}'", [*path, key],
                         "argumentNotAccepted", name=name, typeName=kind, argumentName=key)
            else:
                self.value(argument.value, definition, node, kind, name, key, [*path, key])
        missing = [key for key, definition in definitions.items()
                   if is_required_argument(definition) and key not in given]
        if missing:
            listed = ", ".join(missing)
            self.add(node, f"{kind} '{name}' is missing required arguments: {listed}", path,
                     "missingRequiredArguments", className=kind, name=name, arguments=listed)

    def value(self, value: ValueNode, definition: Any, holder: Node, kind: str, name: str, key: str,
              path: list[Any]) -> None:
        """Check a literal; `holder` is the field or input object whose argument it is: errors point there."""
        expected = definition.type
        if isinstance(value, VariableNode):
            self.usage(value, definition, key, path)
            return
        before = len(self.errors)
        self.inside(value, expected, path)
        if len(self.errors) > before or self.fits(value, expected):
            return
        inner = get_named_type(expected)
        text = getattr(value, "value", None)
        if getattr(inner, "name", "") == "ID" and isinstance(text, str) and value.kind == "string_value":
            self.add(holder, f"Invalid global id '{text}'", path, "argumentLiteralsIncompatible",
                     typeName="CoercionError")
            return
        shown = "null" if isinstance(value, NullValueNode) else print_ast(value)
        self.add(holder, f"Argument '{key}' on {kind} '{name}' has an invalid value ({shown}). "
                 f"Expected type '{expected}'.", path, "argumentLiteralsIncompatible", typeName=kind,
                 argumentName=key)

    def inside(self, value: ValueNode, expected: Any, path: list[Any]) -> None:
        """Check what stands within an object or a list of objects."""
        bare = expected.of_type if is_non_null_type(expected) else expected
        if is_list_type(bare):
            for entry in value.values if isinstance(value, ListValueNode) else [value]:
                self.inside(entry, bare.of_type, path)
        elif is_input_object_type(bare) and isinstance(value, ObjectValueNode):
            given = {field.name.value: field for field in value.fields}
            for key, field in given.items():
                definition = bare.fields.get(key)
                if definition is None:
                    self.add(field, f"InputObject '{bare.name}' doesn't accept argument '{key}'", [*path, key],
                             "argumentNotAccepted", name=bare.name, typeName="InputObject", argumentName=key)
                else:
                    self.value(field.value, definition, value, "InputObject", bare.name, key, [*path, key])
            for key, definition in bare.fields.items():
                if is_required_input_field(definition) and key not in given:
                    self.add(value, f"Argument '{key}' on InputObject '{bare.name}' is required. Expected type "
                             f"{definition.type}", [*path, key], "missingRequiredInputObjectAttribute",
                             argumentName=key, argumentType=str(definition.type), inputObjectType=bare.name)
        elif isinstance(value, VariableNode):
            pass  # a variable within a list: its own declaration is checked when it is read

    def usage(self, node: VariableNode, definition: Any, key: str, path: list[Any]) -> None:
        declared = self.declared.get(node.name.value)
        if declared is None:
            return
        given = type_from_ast(self.schema, declared.type)
        if given is None or not is_input_type(given):
            return
        expected = definition.type
        has_default = (declared.default_value is not None
                       or getattr(definition, "default", None) is not None)
        problem = _mismatch(given, expected, has_default)
        if problem:
            self.add(node, f"{problem} on variable ${node.name.value} and argument {key} ({print_ast(declared.type)} / "
                     f"{expected})", path[:-1], "variableMismatch", variableName=node.name.value,
                     typeName=print_ast(declared.type), argumentName=key, errorMessage=problem)

    def fits(self, value: ValueNode, expected: Any) -> bool:
        """Whether a literal can be of the type (what is within objects is checked elsewhere)."""
        if isinstance(value, VariableNode):
            return True
        if is_non_null_type(expected):
            return not isinstance(value, NullValueNode) and self.fits(value, expected.of_type)
        if isinstance(value, NullValueNode):
            return True
        if is_list_type(expected):
            entries = value.values if isinstance(value, ListValueNode) else [value]
            return all(self.fits(entry, expected.of_type) for entry in entries)
        if is_input_object_type(expected):
            return isinstance(value, ObjectValueNode)
        if is_enum_type(expected):
            return value.kind == "enum_value" and getattr(value, "value", None) in expected.values
        return _scalar_fits(value, expected.name)


_LITERALS = {"Int": {"int_value"}, "Float": {"int_value", "float_value"}, "String": {"string_value"},
             "Boolean": {"boolean_value"}, "ID": {"string_value", "int_value"}}


def _scalar_fits(value: ValueNode, name: str) -> bool:
    if name == "ID":
        return value.kind == "string_value" and is_global_id(getattr(value, "value", None))
    if name in _LITERALS:
        return value.kind in _LITERALS[name]
    if name == "JSON":
        return True
    return value.kind in ("string_value", "int_value", "float_value")


def _mismatch(given: Any, expected: Any, has_default: bool) -> str | None:
    if str(get_named_type(given)) != str(get_named_type(expected)):
        return "Type mismatch"
    if is_non_null_type(expected) and not is_non_null_type(given) and not has_default:
        return "Nullability mismatch"
    given = given.of_type if is_non_null_type(given) else given
    expected = expected.of_type if is_non_null_type(expected) else expected
    if is_list_type(given) != is_list_type(expected):
        # a single value may stand for a list of it, but not the other way round
        return "List dimension mismatch" if is_list_type(given) else None
    if is_list_type(given):
        return _mismatch(given.of_type, expected.of_type, False)
    return None


def _location(node: Node) -> dict[str, int]:
    assert node.loc is not None
    place = get_location(node.loc.source, node.loc.start)
    return {"line": place.line, "column": place.column}


def _arguments_text(node: FieldNode) -> str:
    pairs = sorted((argument.name.value, print_ast(argument.value)) for argument in node.arguments or ())
    return "{" + ",".join(f'{key}:"{value}"' for key, value in pairs) + "}"


def _collect_variables(node: Any, fragments: dict[str, FragmentDefinitionNode], used: dict[str, tuple[Node, list[Any]]],
                       path: list[Any], seen: set[str], dead: set[int]) -> None:
    """Every variable that is used below a node, through the fragments it spreads; nothing below dead nodes."""
    if id(node) in dead:
        return
    if isinstance(node, VariableNode):
        used.setdefault(node.name.value, (node, path))
        return
    if isinstance(node, FragmentSpreadNode):
        name = node.name.value
        if name in fragments and name not in seen:
            seen.add(name)
            _collect_variables(fragments[name].selection_set, fragments, used, path, seen, dead)
    if isinstance(node, FieldNode):
        path = [*path, node.alias.value if node.alias else node.name.value]
    for key in getattr(node, "keys", ()):
        if key in ("loc", "variable_definitions", "name", "alias"):
            continue
        child = getattr(node, key, None)
        for each in child if isinstance(child, (list, tuple)) else [child]:
            if isinstance(each, Node):
                _collect_variables(each, fragments, used, path, seen, dead)


def _collect_spreads(selection_set: Any, fragments: dict[str, FragmentDefinitionNode], used: set[str]) -> None:
    for node in selection_set.selections:
        if isinstance(node, FragmentSpreadNode):
            if node.name.value not in used:
                used.add(node.name.value)
                if node.name.value in fragments:
                    _collect_spreads(fragments[node.name.value].selection_set, fragments, used)
        elif node.selection_set is not None:
            _collect_spreads(node.selection_set, fragments, used)
