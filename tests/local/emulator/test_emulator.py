"""What a test can ask the emulator afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call


def test_every_request_is_remembered_in_order(call: Call) -> None:
    """`requests` tells method, path without query, and status of all that was asked."""
    caller = call(running_polls=0)
    manifest = caller.manifest()
    caller.blob(manifest, "unknown", "HEAD")
    caller.send("GET", "/v1/invoices?size=1", token=None)
    posted, polled, head, listed = caller.emulator.requests
    assert (posted.method, posted.path.rpartition("/")[2], posted.status) == ("POST", "export", 202)
    assert (polled.method, polled.status) == ("GET", 200)
    assert (head.method, head.path.rpartition("/")[2], head.status) == ("HEAD", "unknown", 404)
    assert (listed.path, listed.status) == ("/v1/invoices", 401)


def test_every_signature_is_remembered(call: Call) -> None:
    """`signatures` has each SAS signature issued, plain and as it stands in the token, so that leaks can be found."""
    caller = call(running_polls=0)
    url = caller.start()
    tokens = []
    for _ in range(2):
        tokens.append(caller.finished(url)["resourceLocation"]["sasToken"])
        caller.clock.move(1)
    assert {parse_qs(token)["sig"][0] for token in tokens} < caller.emulator.signatures
    assert {token.partition("sig=")[2] for token in tokens} < caller.emulator.signatures
    assert len(caller.emulator.signatures) == 4
