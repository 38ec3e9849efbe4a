"""What an orchestration awaits is begun step by step, as the extension does it."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from tests.local.engine.conftest import Lab

Steps = Generator[Any, Any, Any]
LOOPS = {0: 10, 1: 30, 2: 500, 3: 10}
"""How long each piece of work takes: the third takes longest."""


def _told(lab: Lab, orchestrator: Callable[[Any], Steps]) -> list[str]:
    """When each piece of work began and ended."""
    told: list[str] = []

    @lab.activity
    async def work(message: int) -> int:
        told.append(f"begin {message}")
        for _ in range(LOOPS[message]):
            await asyncio.sleep(0)
        told.append(f"end {message}")
        return message

    lab.orchestrator(orchestrator)
    lab.run(orchestrator.__name__)
    assert sorted(lab.output()) == [0, 1, 2, 3]
    return told


def test_what_is_begun_together_runs_together(lab: Lab) -> None:
    """The tasks of one `task_any` are scheduled at once, and awaiting fewer and fewer of them begins nothing."""

    def together(context: Any) -> Steps:
        pending = [context.call_activity("work", number) for number in range(4)]
        done = []
        while pending:
            ended = yield context.task_any(pending)
            pending.remove(ended)
            done.append(ended.result)
        return done

    told = _told(lab, together)
    assert told[:4] == [f"begin {number}" for number in range(4)]
    assert told[-1] == "end 2"


def test_what_is_begun_while_others_run_waits_for_what_was_begun_before_it(lab: Lab) -> None:
    """Each `task_any` with something new is awaited before the next one is looked at, whatever else has ended."""

    def one_by_one(context: Any) -> Steps:
        pending = [context.call_activity("work", number) for number in range(2)]
        done: list[int] = []
        for number in (2, 3):
            ended = yield context.task_any(pending)
            pending.remove(ended)
            pending.append(context.call_activity("work", number))
            done.append(ended.result)
        while pending:
            ended = yield context.task_any(pending)
            pending.remove(ended)
            done.append(ended.result)
        return done

    told = _told(lab, one_by_one)
    assert told.index("end 1") < told.index("end 2") < told.index("begin 3")
