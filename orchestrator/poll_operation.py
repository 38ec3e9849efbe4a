"""Polls one operation until it ends. A sub-orchestration of its own: each of its histories waits, then polls once."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from failures import LATER
from messages.exports import CheckOperation, OperationAnswer, Polling, PollingAnswer
from messages.names import CHECK_OPERATION, POLL_OPERATION
from messages.problems import Answer, NotDone
from orchestrator.blueprint import blueprint
from orchestrator.policy import may_be_too_early, poll_delay
from orchestrator.run import ExportFailed, Run, Steps


@blueprint.orchestration_trigger(context_name="context", orchestration=POLL_OPERATION, input_type=dict)
def poll_operation(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """`PollingAnswer`, once the operation has ended, or why it cannot be polled any more, as JSON."""
    polling = Polling.from_json(context.get_input())
    run = Run(context)
    run.begin(polling.policy, polling.posted, polling.deadline, last_problem=polling.last_problem)
    try:
        answer = yield from _poll(run, polling)
    except ExportFailed as failure:
        answer = NotDone(failure.problem)
    if isinstance(answer, OperationAnswer) and answer.plan:
        return PollingAnswer(answer.plan, run.status.last_problem).to_json()
    if isinstance(answer, NotDone) and answer.kind != LATER:
        return Answer(not_done=answer).to_json()
    context.continue_as_new(_after(run, polling, answer).to_json())
    return None


def _poll(run: Run, polling: Polling) -> Steps[OperationAnswer | NotDone]:
    yield from run.wait(_delay(polling), _waiting_for(polling), polling.last_fault)
    too_early = may_be_too_early(run.now, polling.posted, polling.seen)
    order = CheckOperation(polling.operation_url, too_early)
    return (yield from run.call_once(CHECK_OPERATION, order, OperationAnswer))


def _after(run: Run, polling: Polling, answer: OperationAnswer | NotDone) -> Polling:
    """What the next history is told. What could not be asked now is polled again like a running operation."""
    fault = answer.problem if isinstance(answer, NotDone) else None
    following = replace(
        polling,
        polls=polling.polls + 1,
        retry_after=answer.retry_after,
        seen=polling.seen or fault is None,
        last_fault=fault,
    )
    if fault:
        run.meet(fault, _delay(following))
    return replace(following, last_problem=run.status.last_problem)


def _delay(polling: Polling) -> float:
    return poll_delay(polling.polls, polling.retry_after, polling.policy)


def _waiting_for(polling: Polling) -> str:
    if polling.last_fault:
        return f"the operation could not be read: {polling.last_fault.message}"
    return "the operation was still running."
