"""A command that is told to end."""

import asyncio
import signal
import subprocess
import sys

import pytest

from local.ending import ToldToEnd, run
from local.running import ROOT

ENDS_NEVER = """
import asyncio
from local.ending import run

async def command():
    try:
        print("works", flush=True)
        await asyncio.Event().wait()
    finally:
        print("tidies up", flush=True)
        {tidying}

run(command(), lambda: print("ending", flush=True))
"""


def told(tidying: str, number: signal.Signals, times: int) -> tuple[int, list[str], str]:
    """Exit code, output and errors of a command that is sent so many signals."""
    command = [sys.executable, "-c", ENDS_NEVER.format(tidying=tidying)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline()]
        for _ in range(times):
            process.send_signal(number)
            lines += [process.stdout.readline(), process.stdout.readline()]
        out, errors = process.communicate(timeout=30)
        return process.returncode, [line.strip() for line in (*lines, out) if line], errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_time_it_tidies_up(number: signal.Signals) -> None:
    """And says that it ends."""
    code, lines, errors = told("pass", number, 1)
    assert lines == ["works", "ending", "tidies up"]
    assert code == 1
    assert errors.splitlines()[-1].startswith("local.ending.ToldToEnd")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_second_time_it_ends_at_once(number: signal.Signals) -> None:
    """Whatever it is waiting for, and without a traceback."""
    code, lines, errors = told("await asyncio.Event().wait()", number, 2)
    assert lines == ["works", "ending", "tidies up"]
    assert (code, errors) == (-number, "")


def test_what_ends_by_itself_returns() -> None:
    """Signals are as they were before."""
    before = signal.getsignal(signal.SIGINT)

    async def command() -> int:
        await asyncio.sleep(0)
        return 7

    assert run(command(), lambda: pytest.fail("nobody told it")) == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_a_command_that_cancels_itself_was_not_told() -> None:
    """It is a fault like any other."""

    async def command() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(command(), lambda: None)
    assert not issubclass(asyncio.CancelledError, ToldToEnd)
