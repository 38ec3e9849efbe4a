"""What a person reads who watches the emulator."""

import asyncio
import logging

import httpx
import pytest

from local.emulator import Answer, Emulator, Fault


def logged(caplog: pytest.LogCaptureFixture, path: str, *faults: Fault) -> list[str]:
    """The lines that a request leaves."""

    async def ask() -> None:
        transport = httpx.ASGITransport(Emulator(faults=faults).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7072") as http:
            await http.get(path)

    with caplog.at_level(logging.INFO, "local.emulator"):
        asyncio.run(ask())
    return [record.getMessage() for record in caplog.records if record.name.startswith("local.emulator")]


def test_each_request_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """With its status, and without its query: that may hold a SAS token."""
    assert logged(caplog, "/v1/invoices?sig=s3cret") == ["GET /v1/invoices: 401"]


def test_a_path_stays_on_its_line(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody can write lines of their own."""
    assert logged(caplog, "/v1/%0Ainvoices") == ["GET /v1/%0Ainvoices: 404"]


def test_a_fault_that_happens_is_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    """With the request that it happened to, and what it did."""
    faults = [
        Fault(request="invoices", answer=Answer(status=503), occurrence=1),
        Fault(request="invoices", delay=0.0, headers={"X-Other": "1"}),
        Fault(request="operation", delay=1.0),
    ]
    assert logged(caplog, "/v1/invoices", *faults) == [
        "Fault of GET /v1/invoices: answer 503",
        "Fault of GET /v1/invoices: headers changed, delay 0.0",
        "GET /v1/invoices: 503",
    ]
