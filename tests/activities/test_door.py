"""The door through which activities' errors leave."""

from dataclasses import replace

import pytest

from activities.door import ActivityFailed
from tests.activities.conftest import Bench


class _Broken:
    """A billing client with a mistake in it, which quotes what it should not."""

    async def start_export(self, request: object) -> None:
        raise KeyError("https://x.blob.core.windows.net/a?sv=1&sig=SECRET with Bearer TOKEN")


def test_whatever_an_activity_raises_leaves_without_secrets(bench: Bench) -> None:
    """Also an error that nobody foresaw reaches Durable as a text that is safe to be stored."""
    make = bench.clients
    bench.clients = lambda: replace(make(), billing=_Broken())  # type: ignore[method-assign, arg-type]
    with pytest.raises(ActivityFailed) as failed:
        bench.run(bench.start)
    assert "KeyError" in str(failed.value)
    assert "SECRET" not in str(failed.value)
    assert "TOKEN" not in str(failed.value)
