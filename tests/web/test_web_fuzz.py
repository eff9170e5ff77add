"""Requests made up from the API's own description: whatever comes, the answer has the one shape, no mistake of ours."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import Case
from web_helpers import Place

from backend.web.limits import Limiter

SHAPE = {"code", "message", "cure", "details"}
EXAMPLES = 4


class _NoLimit(Limiter):
    def take(self, document: str) -> None:
        return


@pytest.fixture
def described(shop: Place) -> Any:
    # No key is ever really tried: the simulated store is far away from what is made up here.
    shop.service.limiter = _NoLimit()
    return schemathesis.openapi.from_wsgi("/docs/openapi.json", shop.app)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["owner", "viewer", None])
def test_whatever_fits_or_breaks_the_description_gets_a_proper_answer(shop: Place, described: Any, role: str | None
                                                                      ) -> None:
    token = shop.token(role) if role else None
    link_id, operations = shop.link.id, 0
    for found in described.get_all_operations():
        operation = found.ok()
        operations += 1
        if operation.method.upper() == "DELETE" and operation.path.endswith("{link}"):
            continue  # afterwards everything else would be a 404

        @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                             suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(case=operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.POSITIVE) | operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.NEGATIVE))
        def ask(case: Case) -> None:
            if "link" in case.path_parameters:
                case.path_parameters["link"] = link_id
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = case.call(headers=headers)
            assert answer.status_code < 500 or answer.status_code == 503, (case.method, case.path, answer.text)
            if answer.status_code >= 400:
                assert set(answer.json()) == SHAPE
            if token is None:
                assert answer.status_code in (400, 401, 404, 405)

        ask()
    assert operations >= 25
