"""Polls one operation until it ends. A sub-orchestration of its own that continues as new, so no history grows long."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.exports import CheckOperation, OperationAnswer, Polling
from messages.names import CHECK_OPERATION, POLL_OPERATION
from messages.problems import NotNow
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
            answer = yield from _check(run, polling)
            if answer.state != "running":
                return answer.to_json()
            polling = _after(polling, answer)
    except ExportFailed as failure:
        return OperationAnswer("final", problem=failure.problem).to_json()
    context.continue_as_new(polling.to_json())
    return None


def _check(run: Run, polling: Polling) -> Steps[OperationAnswer]:
    """One poll. What could not be asked, and an operation that is not known yet, is polled again like a running one."""
    reply = yield from run.call_once(CHECK_OPERATION, CheckOperation(polling.operation_url))
    if isinstance(reply, NotNow):
        return OperationAnswer("running", reply.retry_after, problem=reply.problem)
    answer = OperationAnswer.from_json(reply)
    if answer.state == "gone" and may_be_too_early(run.now, polling.posted, polling.seen):
        return replace(answer, state="running")
    return answer


def _after(polling: Polling, answer: OperationAnswer) -> Polling:
    return replace(
        polling,
        polls=polling.polls + 1,
        retry_after=answer.retry_after,
        seen=polling.seen or answer.problem is None,
        last_fault=answer.problem,
    )


def _waiting_for(polling: Polling) -> str:
    if polling.last_fault:
        return f"the operation could not be read: {polling.last_fault.message}"
    return "the operation was still running."
