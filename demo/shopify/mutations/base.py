"""What every mutation goes through: it is counted, its @idempotent key is asked for and remembered."""
from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from graphql import value_from_ast_untyped

from ..context import Context
from ..errors import bad_request, invalid_id, user_error
from ..ids import kind_of
from ..registry import Resolver, resolves

_KEPT = timedelta(hours=24)

UserErrors = list[dict[str, Any]]


MANDATORY_SINCE = "2026-04"  # before, @idempotent and changeFromQuantity may be left out (facts §6, §14)


def older_than(context: Context, version: str) -> bool:
    """Whether the request is answered as by an API version before this one."""
    return bool(context.version) and context.version != "unstable" and context.version < version


def mutation(name: str, *, idempotent: bool = False,
             refused: Callable[[UserErrors], dict[str, Any]] | None = None,
             first: Callable[[dict[str, Any], Context], None] | None = None) -> Callable[[Resolver], Resolver]:
    """Announce a mutation.

    idempotent: the directive must be there (from 2026-04), and a repeated key answers without doing it again;
    refused: makes the payload out of the errors that a wrong key gives; first: looks at the arguments before the key.
    """
    def announce(function: Resolver) -> Resolver:
        def run(source: Any, arguments: dict[str, Any], context: Context) -> Any:
            context.writes += 1
            if first is not None:
                first(arguments, context)
            key = _key(context)
            if idempotent and key is None and not older_than(context, MANDATORY_SINCE):
                raise bad_request("The @idempotent directive is required for this mutation but was not provided.")
            if not idempotent or key is None or refused is None:
                return function(source, arguments, context)
            return _once(function, name, key, arguments, context, refused)
        return resolves("Mutation", name)(run)
    return announce


def _once(function: Resolver, name: str, key: str, arguments: dict[str, Any], context: Context,
          refused: Callable[[UserErrors], dict[str, Any]]) -> Any:
    """Run a keyed mutation unless it has run: the same input answers from the present state, another is refused."""
    store = context.store
    now = store.clock.exact()
    said = json.dumps([name, arguments], sort_keys=False, default=str)
    if key == "":
        raise bad_request("The idempotency key can't be blank.")
    for old in [old for old, (when, *_) in store.idempotency.items() if now - when > _KEPT]:
        del store.idempotency[old]
    if key in store.idempotency:
        _, earlier, answer, failed = store.idempotency[key]
        if earlier != said:
            return refused([user_error(None, "The same idempotency key cannot be used with different operation "
                                       "parameters.", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")])
        if failed:
            return refused([user_error(None, "The previous attempt with this idempotency key failed.",
                                       "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")]) \
                if store.behaviour.failed_key_is_spent else function(None, arguments, context)
        return answer
    answer = function(None, arguments, context)
    failed = any(value for part, value in answer.items() if part.lower().endswith("usererrors"))
    if not failed or store.behaviour.failed_key_is_spent:
        store.idempotency[key] = (now, said, answer, failed)
    return answer


def _key(context: Context) -> str | None:
    for directive in context.node.directives or ():
        if directive.name.value == "idempotent":
            value = value_from_ast_untyped((directive.arguments or ())[0].value, context.variables)
            return "" if value is None else str(value)
    return None


def wanted(context: Context, global_id: str, kind: str) -> Any:
    """The thing of the kind, None when it is gone; a gid of another kind is a top-level error."""
    if kind_of(global_id) != kind or global_id.endswith("/0"):
        raise invalid_id(global_id)
    return context.store.thing(global_id)


def too_long(value: str | None, limit: int = 255) -> bool:
    return value is not None and len(value) > limit


TOO_LONG = "is too long (maximum is 255 characters)"
