"""A program beside the host: its output, and its end."""

import asyncio
import logging
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.extension.program import running_program
from local.running import environment, until
from tests.local.extension.conftest import ENVIRONMENT, Written


def _run(program: Path, end_seconds: float = 30) -> str:
    """How it ended by itself."""

    async def run() -> str:
        async with running_program(program, ENVIRONMENT, end_seconds) as running:
            return await running.ended()

    return asyncio.run(run())


def test_what_it_writes_is_logged_at_its_level(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    """Warnings and errors of .NET's logger stay such; all else is for who looks closely."""
    caplog.set_level(logging.DEBUG, "local.extension.program")
    lines = ["warn: Durable[1] slow", "fail: Durable[2] lost", "info: Azure.Core[1] request", "grün"]
    _run(written(f"print(*{lines}, sep='\\n')"))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Durable[1] slow"),
        ("ERROR", "Durable[2] lost"),
        ("DEBUG", "Azure.Core[1] request"),
        ("DEBUG", "grün"),
    ]


def test_a_line_without_end_does_not_stop_the_log(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    """A program that nobody reads from would hang."""
    _run(written("print('x' * 3_000_000); print('warn: Durable[1] after it')"))
    assert "Durable[1] after it" in caplog.messages
    assert any("left out" in message for message in caplog.messages)


def test_it_is_told_what_ended_the_program(written: Written) -> None:
    """The exception that nobody caught, in one line, else the exit code."""
    assert _run(
        written("print('Unhandled exception. System.FormatException: bad\\n   at Main'); raise SystemExit(1)")
    ) == ("System.FormatException: bad")
    assert _run(written("raise SystemExit(3)")) == "exit code 3"


def test_it_is_told_why_the_program_could_not_begin(tmp_path: Path) -> None:
    """Then it has no words of its own."""
    program = tmp_path / "begins-in-vain"
    program.write_text("#!/nowhere/interpreter")
    program.chmod(0o700)
    assert str(program) in _run(program)


def test_it_has_only_the_environment_that_it_is_given(
    written: Written, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the process has beside that is not its business."""
    monkeypatch.setenv("BESIDE", "that")
    _run(written("import os; print('warn:', 'BESIDE' in os.environ, 'PATH' in os.environ)"))
    assert caplog.messages == ["False True"]


def test_ctrl_c_is_for_the_host_alone(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    """A terminal sends it to a whole group: the program would end before the host could end in good order."""
    _run(written("import os; print('warn:', os.getpgrp() == os.getpid())"))
    assert caplog.messages == ["True"]


IGNORES = (
    "import signal, threading; signal.signal(signal.SIGTERM, {}); print('warn: ready'); threading.Event().wait(60)"
)


@pytest.mark.parametrize("source", [IGNORES.format("lambda *_: 1 / 0"), IGNORES.format("signal.SIG_IGN")])
def test_it_ends_with_its_context(written: Written, caplog: pytest.LogCaptureFixture, source: str) -> None:
    """Told to, or killed where it does not listen."""

    async def run() -> None:
        async with running_program(written(source), ENVIRONMENT, end_seconds=0.5) as running:
            while "ready" not in caplog.messages:
                await asyncio.sleep(0.01)
        await asyncio.wait_for(running.ended(), 5)

    asyncio.run(run())


PARENT = """
import asyncio, pathlib, signal, sys
from local.extension.program import running_program
# A shell's job in the background inherits that the signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
async def main():
    async with running_program(pathlib.Path(sys.argv[1]), {}) as running:
        await running.ended()
asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_dies_with_its_parent(written: Written, tmp_path: Path, number: signal.Signals) -> None:
    """However the parent ends, nothing goes on calling a door that nobody is behind."""
    note = tmp_path / "pid"
    program = written(
        f"import os, threading; open({str(note)!r}, 'w').write(f'{{os.getpid()}}.'); threading.Event().wait(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(program)], env=environment({}), stderr=subprocess.PIPE)
    with parent:
        pid = int(until(lambda: note.exists() and note.read_text().endswith(".") and note.read_text()[:-1], "it runs"))
        parent.send_signal(number)
        until(lambda: not _is_running(pid), "it has ended")


def _is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # One that has died, and whom nobody has asked about yet, is still there.
    return "Z" not in status.rpartition(")")[2].split()[0]
