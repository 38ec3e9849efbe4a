"""What is answered about the app's readiness."""

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from http_start.answers import Refused
from http_start.readiness import tried_out
from messages.names import CHECK_READINESS
from tests.http_start.fake_durable import FakeDurable

PROBLEM = {"code": "Forbidden", "message": "No.", "requestId": None, "remedy": "Give it the role."}


class EndedDurable(FakeDurable):
    """Every orchestration that is started has ended at once."""

    def __init__(self, status: str, output: Any) -> None:
        super().__init__()
        self._ends_as = status, output

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
        await super().start_new(name, instance_id, client_input)
        status, output = self._ends_as
        self.add(instance_id, status, output=output)
        return instance_id


def _tried(client: FakeDurable, **options: Any) -> dict[str, Any]:
    return asyncio.run(tried_out(client, **options))


def test_each_thing_is_named_with_what_is_wrong() -> None:
    """It is ready only if nothing is."""
    found = _tried(EndedDurable("Completed", {"landing": None, "graph": PROBLEM}))
    assert found == {
        "ready": False,
        "checks": [{"name": "landing", "problem": None}, {"name": "graph", "problem": PROBLEM}],
    }
    assert _tried(EndedDurable("Completed", {"landing": None}))["ready"] is True


def test_every_call_tries_anew() -> None:
    """An answer is never that of an earlier call."""
    client = EndedDurable("Completed", {})
    _tried(client)
    _tried(client)
    names, ids, _ = zip(*client.started, strict=True)
    assert names == (CHECK_READINESS, CHECK_READINESS)
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("client", "said"),
    [(FakeDurable(), "roles on the host's storage account"), (EndedDurable("Failed", "x"), "app's log")],
    ids=["pending", "failed"],
)
def test_orchestrations_that_do_not_run_are_told(client: FakeDurable, said: str) -> None:
    """No endless wait, and no success."""
    with pytest.raises(Refused, match=said) as refused:
        _tried(client, most_looks=1)
    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE
