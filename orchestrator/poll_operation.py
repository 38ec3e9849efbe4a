"""Polls one operation until it ends. A sub-orchestration of its own that continues as new, so no history grows long."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from failures import LATER
from messages.exports import CheckOperation, OperationAnswer, Polling
from messages.names import CHECK_OPERATION, POLL_OPERATION
from messages.problems import Answer, NotDone
from orchestrator.blueprint import blueprint
from orchestrator.policy import may_be_too_early, poll_delay
from orchestrator.run import ExportFailed, Run, Steps

POLLS_PER_HISTORY = 10
"""Polls before continuing as new: eight events each, and every poll replays those before it."""


@blueprint.orchestration_trigger(context_name="context", orchestration=POLL_OPERATION, input_type=dict)
def poll_operation(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """The operation's last answer, once it is not `running` any more, as JSON."""
    polling = Polling.from_json(context.get_input())
    run = Run(context, polling.policy, polling.deadline)
    try:
        for _ in range(POLLS_PER_HISTORY):
            yield from run.wait(poll_delay(polling.polls, polling.retry_after, polling.policy), _waiting_for(polling))
            too_early = may_be_too_early(run.now, polling.posted, polling.seen)
            order = CheckOperation(polling.operation_url, too_early)
            answer = yield from run.call_once(CHECK_OPERATION, order, OperationAnswer)
            if _has_ended(answer):
                return _told(answer)
            polling = _after(polling, answer)
    except ExportFailed as failure:
        return _told(NotDone(failure.problem))
    context.continue_as_new(polling.to_json())
    return None


def _has_ended(answer: OperationAnswer | NotDone) -> bool:
    """Whether there is nothing more to poll: what could not be asked now is polled again like a running operation."""
    return answer.kind != LATER if isinstance(answer, NotDone) else answer.state != "running"


def _told(answer: OperationAnswer | NotDone) -> dict[str, Any]:
    return (Answer(not_done=answer) if isinstance(answer, NotDone) else answer).to_json()


def _after(polling: Polling, answer: OperationAnswer | NotDone) -> Polling:
    fault = answer.problem if isinstance(answer, NotDone) else None
    return replace(
        polling,
        polls=polling.polls + 1,
        retry_after=answer.retry_after,
        seen=polling.seen or fault is None,
        last_fault=fault,
    )


def _waiting_for(polling: Polling) -> str:
    if polling.last_fault:
        return f"the operation could not be read: {polling.last_fault.message}"
    return "the operation was still running."
