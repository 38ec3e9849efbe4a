"""The door through which activities' errors leave."""

from dataclasses import replace

import pytest

from activities.door import ActivityFailed
from tests.activities.conftest import Bench


class _Broken:
    """A billing client with a mistake in it, which quotes what it should not."""

    async def start_export(self, request: object) -> None:
        raise KeyError("https://x.blob.core.windows.net/a?sv=1&sig=SECRET with Bearer TOKEN")


def test_whatever_an_activity_raises_leaves_without_secrets(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody foresaw reaches Durable as safe text; the log says where in the code it came from."""
    make = bench.clients
    bench.clients = lambda: replace(make(), billing=_Broken())  # type: ignore[method-assign, arg-type]
    with pytest.raises(ActivityFailed) as failed:
        bench.run(bench.start)
    assert "KeyError" in str(failed.value)
    assert "SECRET" not in str(failed.value)
    assert "TOKEN" not in str(failed.value)
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "activities.door"]
    assert "start_export failed" in logged
    assert "in start_export" in logged
    assert "SECRET" not in caplog.text
    assert "TOKEN" not in caplog.text


class _Garbled:
    """A billing client whose mistake holds text that no protobuf can write and no log line should."""

    async def start_export(self, request: object) -> None:
        raise ValueError("first\r\nERROR forged \ud800 " + "x" * 5000)


def test_what_an_activity_raises_is_one_line_that_can_be_stored(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Half a surrogate pair would hang the run on Microsoft's worker, at every replay again."""
    make = bench.clients
    bench.clients = lambda: replace(make(), billing=_Garbled())  # type: ignore[method-assign, arg-type]
    with pytest.raises(ActivityFailed) as failed:
        bench.run(bench.start)
    assert "\nERROR forged" not in caplog.text
    text = str(failed.value)
    assert text.startswith("ValueError: first ERROR forged")
    assert len(text.encode()) <= 1000
    assert text.isprintable()
