"""Runs a program as a child that never outlives this process, and whose output goes to the log."""

import asyncio
import logging
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

log = logging.getLogger(__name__)

GUARD = "setpriv"
"""Of util-linux, which every Linux has: ties a program's life to this process's."""

END_SECONDS = 10.0
"""Seconds that the program has to end when it is told to, before it is killed."""

_LONGEST_LINE = 1 << 20
_LEVELS = {"warn": logging.WARNING, "fail": logging.ERROR, "crit": logging.CRITICAL}


class Program:
    """A .NET program that runs; its lines are logged as they come."""

    def __init__(self, process: Process, output: asyncio.StreamReader, end_seconds: float) -> None:
        self._process = process
        self._output = output
        self._end_seconds = end_seconds
        self._fault: str | None = None
        self._logging = asyncio.create_task(self._log_lines())

    async def ended(self) -> str:
        """Waits until it ends; the exception that ended it, why it could not begin, or its exit code."""
        code = await self._process.wait()
        await asyncio.shield(self._logging)
        return self._fault or f"exit code {code}"

    async def end(self) -> None:
        """Tells it to end, and kills it when it does not."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), self._end_seconds)
        except TimeoutError:
            self._process.kill()
        await self._logging

    async def _log_lines(self) -> None:
        while True:
            try:
                line = await self._output.readline()
            except ValueError:
                log.warning("A line of more than %d bytes is left out.", _LONGEST_LINE)
                continue
            if not line:
                return
            self._log_line(line.decode(errors="replace").rstrip())

    def _log_line(self, line: str) -> None:
        if fault := re.match(rf"(?:Unhandled exception\.|{GUARD}:) (.*)", line):
            self._fault = fault[1]
        # Of its levels, as in `warn: Category[0] text`, information is each request to its storage.
        leveled = re.match(r"(trce|dbug|info|warn|fail|crit): (.*)", line)
        level, text = leveled.groups() if leveled else ("", line)
        log.log(_LEVELS.get(level, logging.DEBUG), "%s", text)


@asynccontextmanager
async def running_program(
    path: Path, environment: Mapping[str, str], end_seconds: float = END_SECONDS
) -> AsyncIterator[Program]:
    """Runs the program while the context is open, with just this environment."""
    # The kernel kills the program when this process ends, whatever way: were it to live on for a moment, it would note
    # as failed what was only cut off. In a session of its own, it gets no Ctrl-C before this process does.
    process = await asyncio.create_subprocess_exec(
        *(GUARD, "--pdeathsig", "KILL", "--", path),
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
        limit=_LONGEST_LINE,
    )
    assert process.stdout is not None
    program = Program(process, process.stdout, end_seconds)
    try:
        yield program
    finally:
        await program.end()
