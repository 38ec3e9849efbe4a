"""One export from its first request to its commit marker: the story, with nothing but decisions in it."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.datasets import TABLED
from messages.exports import (
    CommitAnswer,
    ExportOrder,
    Operation,
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
from orchestrator import copying
from orchestrator.blueprint import blueprint
from orchestrator.build_table import table_of
from orchestrator.endings import to_its_end
from orchestrator.policy import retry_delay
from orchestrator.run import ContinueAsNew, ExportAnew, ExportFailed, Run, Steps, crashed, ending


@blueprint.orchestration_trigger(context_name="context", orchestration=RUN_EXPORT, input_type=dict)
def run_export(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """The export's result, as JSON. A failed export fails the orchestration; its error stands in the custom status."""
    return (yield from to_its_end(context, _play))


def _play(run: Run) -> Steps[dict[str, Any]]:
    order = ExportOrder.from_json(run.context.get_input())
    run.begin(order.policy, order.started_at, order.deadline, order.attempt, order.last_problem)
    run.tells = order.tells
    result = yield from _attempt(run, order)
    if order.policy.tables and order.request.dataset_name in TABLED:
        result = yield from _tabulate(run, order, result)
    run.show("done", result.blob_count, result.blob_count, result.bytes)
    return result.to_json()


def _tabulate(run: Run, order: ExportOrder, result: Result) -> Steps[Result]:
    """The result with the invoice's table, for which every byte of the current version has been read."""
    run.show("tabulating", result.blob_count, result.blob_count, result.bytes)
    table = yield from table_of(run, order.request.invoice_id, order.policy)
    return replace(result, table=table, content_verified=table["state"] != "failed" and result.pointed)


def _attempt(run: Run, order: ExportOrder) -> Steps[Result]:
    try:
        if order.copying:
            return (yield from _copy_and_commit(run, order, order.copying.plan))
        if not order.operation:
            operation = yield from _start(run, order)
            raise _going_on(run, order, operation=operation)
        plan = yield from _await_plan(run, order, order.operation)
        run.show("planning", blob_count=plan.blob_count)
        reused = yield from run.call(REUSE_VERSION, _version(run, order, plan), VersionAnswer)
        return reused.result or (yield from _copy_and_commit(run, replace(order, latest=reused.latest), plan))
    except ExportAnew as reason:
        yield from _wait_for_next_attempt(run, order, reason.problem)
        raise _going_on(run, order, attempt=order.attempt + 1, operation=None, copying=None) from None


def _going_on(run: Run, order: ExportOrder, **changes: Any) -> ContinueAsNew:
    known = replace(order, deadline=run.deadline, started_at=run.started_at, last_problem=run.status.last_problem)
    return ContinueAsNew(replace(known, **changes))


def _wait_for_next_attempt(run: Run, order: ExportOrder, problem: Problem) -> Steps[None]:
    if order.attempt >= order.policy.export_attempts:
        raise ExportFailed(problem)
    seconds = retry_delay(order.attempt, order.policy.retry_seconds)
    run.meet(problem, seconds)
    yield from run.wait(seconds, problem.message, problem)


def _start(run: Run, order: ExportOrder) -> Steps[Operation]:
    run.show("starting")
    started = yield from run.call(START_EXPORT, StartOrder(order.request), StartAnswer)
    return Operation(started.operation_url, started.posted or run.now, started.retry_after)


def _await_plan(run: Run, order: ExportOrder, operation: Operation) -> Steps[Plan]:
    run.show("polling")
    polling = Polling(operation.url, order.policy, operation.posted, run.deadline, operation.retry_after)
    plan = yield from _poll(run, polling)
    return replace(plan, month=order.request.month_at(operation.posted))


def _poll(run: Run, polling: Polling) -> Steps[Plan]:
    # An id of its own for every run: a cancelled run's polling may still be ending.
    child = f"{run.context.instance_id}:poll:{run.context.new_uuid()[:8]}"
    run.status.wait_for(child)
    try:
        data = yield run.context.call_sub_orchestrator(POLL_OPERATION, polling.to_json(), child, expected_type=dict)
    except Exception as fault:
        raise ExportAnew(crashed(fault).problem) from None
    not_done = Answer.from_json(data).not_done
    if not_done:
        raise ending(not_done.kind, not_done.problem)
    answer = PollingAnswer.from_json(data)
    run.status.take_over(answer.last_problem)
    return answer.plan


def _copy_and_commit(run: Run, order: ExportOrder, plan: Plan) -> Steps[Result]:
    begun = order.copying or copying.begin(plan, order.policy.copy_batch_size)
    done = yield from copying.copy_ranges(run, order.request, begun)
    if done.pending:
        raise _going_on(run, order, copying=done)
    run.show("committing", done.blobs_done, plan.blob_count, done.bytes_done)
    committed = yield from run.call(COMMIT_EXPORT, _version(run, order, plan), CommitAnswer)
    return committed.result


def _version(run: Run, order: ExportOrder, plan: Plan) -> VersionOrder:
    return VersionOrder(order.request, plan, run.context.instance_id, order.latest)
