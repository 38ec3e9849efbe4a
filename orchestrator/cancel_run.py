"""Ends a run with all that runs within it. Durable ends one instance at a time, later, and shows a child late."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.cancelling import CancelOrder, EndAnswer, EndOrder
from messages.names import CANCEL_RUN, END_RUN
from orchestrator.blueprint import blueprint
from orchestrator.run import Steps

ROUNDS = (5, 15, 30, 60, *range(120, 3601, 120))
"""Seconds after the run's end at which is looked for what began late; seldom more than the first four are needed."""

LEAST_SECONDS = 60
"""Seconds after the run's end for which is looked at the least."""

TRIES = (1, 2, 5, 10, *itertools.repeat(30, 120))
"""Seconds between two tries of ending the run itself: an hour in all."""

TIMER_EARLY = timedelta(seconds=1)
"""Timers on Azure fire up to a second early: its queues count whole seconds."""


@blueprint.orchestration_trigger(context_name="context", orchestration=CANCEL_RUN, input_type=dict)
def cancel_run(context: DurableOrchestrationContext) -> Steps[None]:
    """Ends the run, then looks again and again for what runs within it, until nothing was found for long enough."""
    run_id = CancelOrder.from_json(context.get_input()).run_id
    yield from _end_run(context, run_id)
    ended, found = _now(context), [1]
    for seconds in ROUNDS:
        yield context.create_timer(ended + timedelta(seconds=seconds) + TIMER_EARLY)
        found.append((yield from _look(context, EndOrder(run_id, ended=True))).found)
        if is_over(found, seconds):
            return


def is_over(found: list[int], seconds: float) -> bool:
    """Whether nothing begins any more, when looking so long after the run's end has found so many, each time."""
    return seconds >= LEAST_SECONDS and not any(found[-2:])


def _end_run(context: DurableOrchestrationContext, run_id: str) -> Steps[None]:
    for seconds in TRIES:
        if (yield from _look(context, EndOrder(run_id))).ended:
            return
        yield context.create_timer(_now(context) + timedelta(seconds=seconds))


def _look(context: DurableOrchestrationContext, order: EndOrder) -> Steps[EndAnswer]:
    """What was found; a look that failed may have missed something."""
    try:
        answer: Mapping[str, Any] = yield context.call_activity(END_RUN, order.to_json(), expected_type=dict)
    except Exception:
        return EndAnswer(ended=False, found=1)
    return EndAnswer.from_json(answer)


def _now(context: DurableOrchestrationContext) -> datetime:
    moment: datetime = context.current_utc_datetime
    return moment
