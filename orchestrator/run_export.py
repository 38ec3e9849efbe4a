"""One export from its first request to its commit marker: the story, with nothing but decisions in it."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.exports import (
    CommitAnswer,
    ExportOrder,
    Plan,
    Polling,
    PollingAnswer,
    Result,
    StartAnswer,
    StartOrder,
    VersionAnswer,
    VersionOrder,
)
from messages.names import COMMIT_EXPORT, POLL_OPERATION, REUSE_VERSION, RUN_EXPORT, START_EXPORT
from messages.problems import Answer, Problem
from orchestrator import copying, notices
from orchestrator.blueprint import blueprint
from orchestrator.policy import retry_delay
from orchestrator.run import ExportAnew, ExportFailed, Run, Steps, crashed, ending


class _ContinueAsNew(Exception):
    """This history is long enough: the orchestration goes on with the order, in a new one."""

    def __init__(self, order: ExportOrder) -> None:
        self.order = order


@blueprint.orchestration_trigger(context_name="context", orchestration=RUN_EXPORT, input_type=dict)
def run_export(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """The export's result, as JSON. A failed export fails the orchestration; its error stands in the custom status."""
    order = ExportOrder.from_json(context.get_input())
    run = Run(context, order.policy, order.deadline)
    order = replace(order, deadline=run.deadline)
    try:
        return (yield from notices.with_notice(run, order.request.export_id, _play(run, order)))
    except _ContinueAsNew as going_on:
        context.continue_as_new(going_on.order.to_json())
        return None


def _play(run: Run, order: ExportOrder) -> Steps[dict[str, Any]]:
    result = yield from _attempt(run, order)
    run.show("done", result.blob_count, result.blob_count, result.bytes)
    return result.to_json()


def _attempt(run: Run, order: ExportOrder) -> Steps[Result]:
    try:
        if order.copying:
            return (yield from _copy_and_commit(run, order, order.copying.plan))
        plan = yield from _await_plan(run, order)
        run.show("planning", blob_count=plan.blob_count)
        reused = yield from run.call(REUSE_VERSION, VersionOrder(order.request, plan), VersionAnswer)
        return reused.result or (yield from _copy_and_commit(run, order, plan))
    except ExportAnew as reason:
        yield from _wait_for_next_attempt(run, order, reason.problem)
        raise _ContinueAsNew(replace(order, attempt=order.attempt + 1, copying=None)) from None


def _wait_for_next_attempt(run: Run, order: ExportOrder, problem: Problem) -> Steps[None]:
    if order.attempt >= order.policy.export_attempts:
        raise ExportFailed(problem)
    yield from run.wait(retry_delay(order.attempt, order.policy), problem.message)


def _await_plan(run: Run, order: ExportOrder) -> Steps[Plan]:
    run.show("starting")
    started = yield from run.call(START_EXPORT, StartOrder(order.request), StartAnswer)
    run.show("polling")
    polling = Polling(started.operation_url, order.policy, started.posted or run.now, run.deadline, started.retry_after)
    plan = yield from _poll(run, polling)
    return replace(plan, month=order.request.month_at(polling.posted))


def _poll(run: Run, polling: Polling) -> Steps[Plan]:
    # An id of its own for every run: a cancelled run's polling may still be ending.
    child = f"{run.context.instance_id}:poll:{run.context.new_uuid()[:8]}"
    try:
        data = yield run.context.call_sub_orchestrator(POLL_OPERATION, polling.to_json(), child, expected_type=dict)
    except Exception as fault:
        raise ExportAnew(crashed(fault).problem) from None
    not_done = Answer.from_json(data).not_done
    if not_done:
        raise ending(not_done.kind, not_done.problem)
    return PollingAnswer.from_json(data).plan


def _copy_and_commit(run: Run, order: ExportOrder, plan: Plan) -> Steps[Result]:
    begun = order.copying or copying.begin(plan, order.policy.copy_batch_size)
    done = yield from copying.copy_ranges(run, order.request, begun)
    if done.pending:
        raise _ContinueAsNew(replace(order, copying=done))
    run.show("committing", done.blobs_done, plan.blob_count, done.bytes_done)
    committed = yield from run.call(COMMIT_EXPORT, VersionOrder(order.request, plan), CommitAnswer)
    return committed.result
