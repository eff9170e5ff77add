"""Documents and variables that Shopify refuses before it runs them, in its own words."""
from __future__ import annotations

from typing import Any

import pytest

from .conftest import Ask


@pytest.mark.parametrize(("query", "message", "code", "path"), [
    ("{ shop", "syntax error, unexpected end of file at [1, 3]", "PARSE_ERROR", None),
    ("query Q { shop }", "Field must have selections (field 'shop' returns Shop but has no selections. "
     "Did you mean 'shop { ... }'?)", "selectionMismatch", ["query Q", "shop"]),
    ("{ nothing { id } }", "Field 'nothing' doesn't exist on type 'QueryRoot'", "undefinedField", ["query", "nothing"]),
    ("{ p: products(first: 1) { nodes { x: colour } } }", "Field 'colour' doesn't exist on type 'Product'",
     "undefinedField", ["query", "p", "nodes", "x"]),
    ("{ product { id } }", "Field 'product' is missing required arguments: id", "missingRequiredArguments",
     ["query", "product"]),
    ("{ products(first: 1, colour: 2) { nodes { id } } }", "Field 'products' doesn't accept argument 'colour'",
     "argumentNotAccepted", ["query", "products", "colour"]),
    ("{ products(first: 1, sortKey: COLOUR) { nodes { id } } }", "Argument 'sortKey' on Field 'products' has an "
     "invalid value (COLOUR). Expected type 'ProductSortKeys'.", "argumentLiteralsIncompatible",
     ["query", "products", "sortKey"]),
    ('{ product(id: "7") { id } }', "Invalid global id '7'", "argumentLiteralsIncompatible",
     ["query", "product", "id"]),
    ("query Q($a: Int) { shop { id } }", "Variable $a is declared by Q but not used", "variableNotUsed", ["query Q"]),
    ("query Q { products(first: $n) { nodes { id } } }", "Variable $n is used by Q but not declared",
     "variableNotDefined", ["query Q", "products"]),
    ("query Q($n: String) { products(first: $n) { nodes { id } } }",
     "Type mismatch on variable $n and argument first (String / Int)", "variableMismatch", ["query Q", "products"]),
    ("mutation { productDelete(input: {}) { deletedProductId } }",
     "Argument 'id' on InputObject 'ProductDeleteInput' is required. Expected type ID!",
     "missingRequiredInputObjectAttribute", ["mutation", "productDelete", "input", "id"]),
    ("{ shop { ...Missing } }", "Fragment Missing was used, but not defined", "useAndDefineFragment",
     ["query", "shop", "... Missing"]),
    ("{ shop @later { id } }", "Directive @later is not defined", "undefinedDirective", ["query", "shop"]),
])
def test_a_wrong_document_is_refused(ask: Ask, query: str, message: str, code: str, path: list[str] | None) -> None:
    body = ask(query)
    assert "data" not in body
    error = body["errors"][0]
    assert (error["message"], error["extensions"]["code"], error.get("path")) == (message, code, path)


def test_a_plain_user_error_has_no_code(ask: Ask) -> None:
    body = ask('mutation M { tagsAdd(id: "gid://shopify/Product/1", tags: []) { userErrors { code } } }')
    assert body["errors"][0]["message"] == "Field 'code' doesn't exist on type 'UserError'"


@pytest.mark.parametrize(("given", "message", "problems"), [
    ({}, "Variable $v of type ProductDeleteInput! was provided invalid value for id (Expected value to not be null)",
     [{"path": ["id"], "explanation": "Expected value to not be null"}]),
    (None, "Variable $v of type ProductDeleteInput! was provided invalid value",
     [{"path": [], "explanation": "Expected value to not be null"}]),
    ({"id": "gid://shopify/Product/1", "x": 1}, "Variable $v of type ProductDeleteInput! was provided invalid value "
     "for x (Field is not defined on ProductDeleteInput)",
     [{"path": ["x"], "explanation": "Field is not defined on ProductDeleteInput"}]),
])
def test_a_wrong_variable_is_refused(ask: Ask, given: Any, message: str, problems: list[Any]) -> None:
    body = ask("mutation M($v: ProductDeleteInput!) { productDelete(input: $v) { deletedProductId } }", v=given)
    error = body["errors"][0]
    assert set(body) == {"errors"}
    assert error["message"] == message
    assert error["extensions"] == {"code": "INVALID_VARIABLE", "value": given, "problems": problems}


def test_a_list_that_is_too_long_is_refused_whole(ask: Ask, store: Any) -> None:
    product = next(iter(store.products.values()))
    body = ask("mutation M($p: ProductUpdateInput!) { productUpdate(product: $p) { product { id } } }",
               p={"id": product.gid, "tags": [f"t{number}" for number in range(251)]})
    error = body["errors"][0]
    assert error["message"] == "The input array size of 251 is greater than the maximum allowed of 250."
    assert error["path"] == ["productUpdate", "product", "tags"]
    assert "data" not in body
    assert body["extensions"]["cost"]["actualQueryCost"] is None


def test_a_document_of_over_a_thousand_points_is_refused(ask: Ask) -> None:
    body = ask("{ products(first: 250) { nodes { variants(first: 250) { nodes { inventoryItem { "
               "inventoryLevels(first: 250) { nodes { id } } } } } } } }")
    error = body["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["message"].startswith("Query cost is ")


def test_what_is_not_simulated_says_so(ask: Ask) -> None:
    body = ask('{ shop { analyticsToken } product(id: "gid://shopify/Product/1") { id } }')
    assert body["errors"][0]["extensions"]["code"] == "NOT_SIMULATED"
    assert "Shop.analyticsToken" in body["errors"][0]["message"]


def test_a_document_with_two_operations_needs_a_name(ask: Ask) -> None:
    assert ask("query A { shop { id } } query B { shop { id } }") == {
        "errors": [{"message": "An operation name is required"}]}
