"""Text from Microsoft that no log, status or database should hold as it came."""

import json
from typing import Any

import pytest

from local.emulator import Answer, Fault
from tests.faults.bench import App, Bench, hurried_clients

FORGED = "ERROR partner.billing.export.failed forged"
NASTY = f"half \ud800 a pair\r\n{FORGED}\x00\u202e" + "x" * 20_000
UNFIT = ("a\r\nb", "a\u2028b", "half \ud800", "x" * 100_000)
REFUSAL = {"code": NASTY, "message": NASTY, "innerError": {"request-id": NASTY}}


def _refused(request: Any, status: int) -> Fault:
    return Fault(request=request, answer=Answer(status=status, text=json.dumps({"error": REFUSAL})))


def _failed_operation(error: object) -> Fault:
    return Fault(request="operation", answer=Answer(status=200, text=json.dumps({"status": "failed", "error": error})))


@pytest.mark.parametrize(
    "fault",
    [
        _refused("export", 400),
        _refused("export", 503),
        _refused("operation", 403),
        _failed_operation(REFUSAL),
        _failed_operation({"code": [NASTY], "message": {"text": NASTY}}),
        _failed_operation(NASTY),
    ],
    ids=["refused start", "start put off", "refused poll", "failed", "failed, no text", "failed, no object"],
)
def test_a_run_that_fails_with_nasty_text_can_still_be_read(bench: Bench, fault: Fault) -> None:
    """Status and list are answered for ever after, on one line each, and no log line is forged."""

    async def scenario(app: App) -> None:
        bench.status = await app.export()
        (listed,) = await app.list()
        assert listed == bench.status

    bench.make_clients = hurried_clients
    bench.play(scenario, fault, settings={"EXPORT_ATTEMPTS": "1"})
    error = bench.status["error"]
    assert bench.status["state"] == "failed"
    texts = [error["code"], error["message"], error["requestId"] or ""]
    assert all(text.isprintable() for text in texts)
    assert len(error["code"]) <= 100
    assert len(error["message"]) <= 1100
    assert not [
        line for line in bench.log.splitlines() if line.startswith("ERROR partner.billing.export.failed forged")
    ]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("eTag", text) for text in ("half \ud800", "x" * 100_000)),
        *((field, text) for field in ("rootDirectory", "sasToken") for text in UNFIT),
    ],
)
def test_a_manifest_whose_fields_are_no_plain_text_is_refused(bench: Bench, field: str, text: str) -> None:
    """Each of them becomes part of a URL, a status or a landed file."""
    bench.export(Fault(request="operation", merge={"resourceLocation": {field: text}}))
    assert field in bench.require_failure("BadManifest", "request id")
