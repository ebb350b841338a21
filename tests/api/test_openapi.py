"""The OpenAPI document is true, and the page that shows it needs no other host."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.networks import note
from tests.nodes import RunningNode, running_node

EXAMPLES = 8
"""per operation"""
CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)


def test_generated_requests_meet_no_server_error_and_the_answers_are_as_described(node: RunningNode) -> None:
    node.wait_referenced(node.attach(note("something to find")))
    schema = schemathesis.openapi.from_dict(node.get("/openapi.json")).exclude(path="/api/tangle/v1/events")
    tried = 0
    for operation in schema.get_all_operations():

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @operation.ok().as_strategy_test
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(base_url=node.url, checks=CHECKS)

        check()
        tried += 1
    assert tried >= 35
