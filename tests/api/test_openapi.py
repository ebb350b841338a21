"""The OpenAPI document is true, and the page that shows it needs no other host."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.networks import note
from tests.nodes import RunningNode, running_node
from tests.tries import tries

EXAMPLES = tries(6)
"""per operation and mode"""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = ["/api/tangle/v1/events", "/api/tangle/v1/tags/{tag}/events", "/api/tangle/v1/mam/{root}/events"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_generated_requests_are_answered_as_described(node: RunningNode, mode: GenerationMode) -> None:
    node.wait_referenced(node.attach(note("something to find")))
    schema = schemathesis.openapi.from_dict(node.get("/openapi.json")).exclude(path=ENDLESS)
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(base_url=node.url, checks=CHECKS)

        try:
            check()
        except Unsatisfiable:
            # Nothing that is asked of this operation can be wrong.
            assert mode is GenerationMode.NEGATIVE
        else:
            tried += 1
    assert tried >= 20


def test_every_route_is_described_with_a_summary_and_its_errors(node: RunningNode) -> None:
    document = node.get("/openapi.json")
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert all(operation["description"] for _, _, operation in operations)
    assert not [path for path, _, operation in operations if "422" in operation["responses"]]
    posts = [
        operation for _, method, operation in operations if method == "post" and "201" in operation["responses"]
    ]
    assert all("example" in operation["requestBody"]["content"]["application/json"] for operation in posts)


def test_the_page_loads_nothing_from_elsewhere(node: RunningNode) -> None:
    page = node.http.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert "//" not in link
        assert node.http.get(urljoin("/docs", link)).status_code == 200
    assert "https://" not in page.text


def test_pages_of_other_origins_may_call_only_when_a_setting_says_so(node: RunningNode, tmp_path: Path) -> None:
    origin = {"origin": "https://shop.example"}
    assert "access-control-allow-origin" not in node.http.get("/api/core/v2/tips", headers=origin).headers
    with running_node(tmp_path / "data", cors_origins="https://shop.example") as open_to_shop:
        answer = open_to_shop.http.get("/api/core/v2/tips", headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        other = open_to_shop.http.get("/api/core/v2/tips", headers={"origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers
