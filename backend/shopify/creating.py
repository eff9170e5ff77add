"""Make no thing twice: what each creation carries so that it is found again when its answer was lost.

    a key of ours   in a metafield of type `id`, whose definition keeps its values unique: Shopify refuses a second
                    thing with the same key, and finds the first by it. The definition is made when first needed
    a handle        where the definition is refused: given explicitly, a handle that is taken is a refusal
    email, phone    of a customer: no two may share one
    option values   of a variant: no two of a product may share them (looked up in `connector`)

The key is made from the stamp in the journal and the place in the batch, so a later process makes the same one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from typing import Any

from backend.core.model import Create, Mapping, Op
from backend.core.values import Value
from backend.errors import RetryLater, SyncError
from backend.shopify.client import Client
from backend.shopify.documents import OUR_KEY, OUR_NAMESPACE
from backend.shopify.resource import StoreResource, shape

NAMESPACE, KEY = OUR_NAMESPACE, OUR_KEY

LOOK = """query LookForKey($owner: MetafieldOwnerType!, $namespace: String!, $key: String!) {
  metafieldDefinitions(ownerType: $owner, namespace: $namespace, key: $key, first: 1) { nodes { id } }
}"""
DEFINE = """mutation DefineKey($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) {
    createdDefinition { id }
    userErrors { field message code }
  }
}"""


class Keys:
    """One for a connector. Asks each owner's definition once."""

    def __init__(self, client: Client, notes: list[str]) -> None:
        self._client = client
        self._notes = notes
        self._defined: dict[str, bool] = {}

    def marks(self, mapping: Mapping, ops: Sequence[Op], keys: Sequence[str]) -> dict[int, dict[str, Any]]:
        """By position: what each creation among `ops` carries besides its values. `keys` stand beside the ops."""
        resource = shape(mapping)
        creates = [(position, op) for position, op in enumerate(ops) if isinstance(op, Create)]
        if not creates or not (resource.finds or resource.newest):
            return {}
        if self.defined(resource):
            return {position: {"metafields": [
                {"namespace": NAMESPACE, "key": KEY, "type": "id", "value": keys[position]}]}
                for position, _ in creates}
        return {position: {"handle": own_handle(op.values, keys[position])} for position, op in creates
                if _takes_handle(resource) and not op.values.get("handle")}

    def identifiers(self, mapping: Mapping, op: Create, key: str) -> list[tuple[dict[str, Any], bool]]:
        """How this creation may be found, best first, and whether what is found is surely the one we made."""
        resource = shape(mapping)
        ways: list[tuple[dict[str, Any], bool]] = []
        if self.defined(resource):
            ways.append(({"customId": {"namespace": NAMESPACE, "key": KEY, "value": key}}, True))
        if _takes_handle(resource) and not op.values.get("handle"):
            ways.append(({"handle": own_handle(op.values, key)}, True))
        for name, called in resource.natural:
            value = op.values.get(name)
            if isinstance(value, str) and value:
                ways.append(({called: value}, False))
        return ways

    def defined(self, resource: StoreResource) -> bool:
        """Whether things of this resource can carry our key; defines it where nobody has yet."""
        if resource.owner not in self._defined:
            self._defined[resource.owner] = self._define(resource)
        return self._defined[resource.owner]

    def _define(self, resource: StoreResource) -> bool:
        where = {"namespace": NAMESPACE, "key": KEY}
        try:
            found = self._client.run(LOOK, {"owner": resource.owner, **where}).root("metafieldDefinitions")
            if found["nodes"]:
                return True
            made = self._client.run(DEFINE, {"definition": {
                **where, "name": "Made by Shopify–Grist Sync", "type": "id", "ownerType": resource.owner,
                "capabilities": {"uniqueValues": {"enabled": True}}}}, writes=True).root("metafieldDefinitionCreate")
        except RetryLater:
            raise
        except SyncError as error:
            return self._without(resource, error.message)
        errors = [one for one in made["userErrors"] if one.get("code") != "TAKEN"]
        return not errors or self._without(resource, str(errors[0].get("message")))

    def _without(self, resource: StoreResource, said: str) -> bool:
        instead = "They get a handle with an ending of our own instead." if _takes_handle(resource) else \
            "When an answer is lost, a person has to look."
        self._notes.append(f"New {resource.label.lower()} cannot carry the key by which they are found again: Shopify "
                           f"refused its definition ({said.rstrip('.')}). {instead}")
        return False


def own_handle(values: Dict[str, Value], key: str) -> str:
    """A handle from the title that nobody else takes: `oil-lamp-1f0c9a52`."""
    plain = unicodedata.normalize("NFKC", str(values.get("title") or "")).casefold()
    words = re.sub(r"[\W_]+", "-", plain).strip("-")[:200].rstrip("-")
    ending = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{words}-{ending}" if words else ending


def _takes_handle(resource: StoreResource) -> bool:
    return any(name == "handle" for name, _ in resource.natural)
