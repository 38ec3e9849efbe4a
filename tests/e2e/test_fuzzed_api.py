"""The HTTP calls against their own OpenAPI description, with what a fuzzer makes of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from local.running import ROOT, Host, host

CALLS = [
    (method.upper(), path, mode)
    for path, item in json.loads((ROOT / "http_start" / "openapi.json").read_text())["paths"].items()
    for method in item
    if method != "parameters"
    for mode in GenerationMode
    # A call without parameters cannot be made wrongly.
    if not (mode is GenerationMode.NEGATIVE and path in {"/openapi.json", "/readiness"})
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that nothing disturbs; what the fuzzer starts cannot reach any API."""
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    unreachable = {"GRAPH_BASE_URL": "http://127.0.0.1:9/v1.0", "GRAPH_STATIC_TOKEN": "none"}
    with host(unreachable | {"LANDING_URL": (folder / "landing").as_uri()}, folder, log_level="warning") as running:
        yield running


@pytest.mark.parametrize(("method", "path", "mode"), CALLS)
def test_whatever_is_sent_the_answer_is_as_described(app: Host, method: str, path: str, mode: GenerationMode) -> None:
    """No input gets an answer that the description does not allow, a 500 least of all."""
    description = schemathesis.openapi.from_url(f"{app.url}/api/openapi.json")

    @given(case=description[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        # That a month has ended, and that a range is one, no schema can say.
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if path == "/exports/monthly" else [])

    check()
