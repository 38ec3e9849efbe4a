"""Tells of a run's end, by an orchestration of its own: the run itself has ended by then."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from failures import LATER
from messages.names import DELIVER_NOTICE, SEND_NOTICE, START_NOTICE
from messages.notices import EXPORT, Notice
from messages.problems import Answer, NotDone
from orchestrator.blueprint import blueprint
from orchestrator.policy import NOTICE_START_TRIES, NOTICE_START_WAIT, may_still_be_told, retry_delay
from orchestrator.run import Run, Steps


def begin(run: Run, outcome: str, data: dict[str, Any], about: str = EXPORT) -> Steps[None]:
    """Has the end told. Whether that succeeds changes nothing about the run."""
    # One id for all tries, so that a second one finds what the first has started.
    notice = Notice(
        run.context.new_uuid(), outcome, run.context.instance_id, run.now, data, run.retry_seconds, about=about
    )
    for tries in range(1, NOTICE_START_TRIES + 1):
        answer = yield from run.call_once(START_NOTICE, notice, Answer)
        if not isinstance(answer, NotDone):
            return
        if tries == NOTICE_START_TRIES:
            run.log(logging.ERROR, "ended as %s, of which no notice can be sent: %s", outcome, answer.problem.message)
        else:
            yield run.context.create_timer(run.now + NOTICE_START_WAIT)


@blueprint.orchestration_trigger(context_name="context", orchestration=DELIVER_NOTICE, input_type=dict)
def deliver_notice(context: DurableOrchestrationContext) -> Steps[None]:
    """Sends one notice; while nobody takes it again and again for a day, each time in a new history."""
    notice = Notice.from_json(context.get_input())
    run = Run(context)
    if notice.attempt > 1:
        yield context.create_timer(run.now + timedelta(seconds=retry_delay(notice.attempt - 1, notice.retry_seconds)))
    answer = yield from run.call_once(SEND_NOTICE, notice, Answer)
    if not (isinstance(answer, NotDone) and answer.kind == LATER):
        return
    if may_still_be_told(run.now, notice.time):
        context.continue_as_new(replace(notice, attempt=notice.attempt + 1).to_json())
    else:
        run.log(logging.ERROR, "gives up: nobody takes the notice of %s.", notice.subject)
