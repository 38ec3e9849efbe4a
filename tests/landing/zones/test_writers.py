"""Threads that write: what they answer, and what becomes of a call that nobody waits for any more."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from landing.zones.writers import WRITERS, Writers
from tests.landing.conftest import Run


@pytest.fixture
def writers() -> Iterator[Writers]:
    """Threads that are ended."""
    writers = Writers()
    yield writers
    writers.close()


def test_a_call_is_answered(run: Run, writers: Writers) -> None:
    """The call gets its values, in another thread, and its answer comes back."""
    assert run(writers.do(lambda one, two: (one, two), 1, 2)) == (1, 2)
    assert run(writers.do(threading.get_ident)) != threading.get_ident()


def test_an_error_is_raised(run: Run, writers: Writers) -> None:
    """What the call raises comes back as it is."""
    with pytest.raises(ZeroDivisionError):
        run(writers.do(lambda: 1 / 0))


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("cancellations", [1, 2])
def test_who_is_cancelled_waits_for_a_call_that_has_begun(
    run: Run, writers: Writers, fails: bool, cancellations: int
) -> None:
    """It ends as cancelled, when the call has ended and not before, however that ended and however often it is told."""

    async def scenario() -> bool:
        begun, may_end = threading.Event(), threading.Event()

        def call() -> None:
            begun.set()
            may_end.wait()
            if fails:
                raise OSError

        doing = asyncio.create_task(writers.do(call))
        await asyncio.to_thread(begun.wait)
        for _ in range(cancellations):
            doing.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
        waited = not doing.done()
        may_end.set()
        await asyncio.wait([doing])
        return waited and doing.cancelled()

    assert run(scenario())


def test_a_call_that_has_not_begun_when_it_is_cancelled_never_does(run: Run, writers: Writers) -> None:
    """Who is cancelled before a thread is free does not wait for one."""

    async def scenario() -> list[str]:
        may_end = threading.Event()
        called: list[str] = []
        before = [asyncio.create_task(writers.do(may_end.wait)) for _ in range(WRITERS)]
        doing = asyncio.create_task(writers.do(called.append, "called"))
        await asyncio.sleep(0)
        doing.cancel()
        await asyncio.wait([doing], timeout=5)
        may_end.set()
        await asyncio.gather(*before)
        await writers.do(str)
        return called

    assert run(scenario()) == []
