"""Exports one billing month after the other, for months long past; one that fails does not stop the others."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.months import months_between
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import BACKFILL, MONTHLY_EXPORTS
from messages.problems import Problem
from orchestrator.blueprint import blueprint
from orchestrator.children import as_it_arrived, how_they_ended
from orchestrator.endings import to_its_end
from orchestrator.run import ContinueAsNew, ExportFailed, Run, Steps


@blueprint.orchestration_trigger(context_name="context", orchestration=BACKFILL, input_type=dict)
def backfill(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """For each month what became of it, as callers see it; fails when one of them did."""
    return (yield from to_its_end(context, _play))


def _play(run: Run) -> Steps[dict[str, Any]]:
    """One month a history, for each may take hours."""
    order = BackfillOrder.from_json(run.context.get_input())
    run.begin(order.policy, order.started_at)
    months = list(months_between(order.first, order.last))
    run.show("exporting", result={"months": order.done})
    done = [*order.done, (yield from _export(run, order, months[len(order.done)]))]
    if len(done) < len(months):
        raise ContinueAsNew(replace(order, started_at=run.started_at, done=done))
    result = {"months": done}
    run.show("done", result=result)
    failed = [f"{month['month']}: {month['error']}" for month in done if month["error"]]
    if failed:
        raise ExportFailed(_some_failed(failed, len(done)))
    return result


def _export(run: Run, order: BackfillOrder, month: str) -> Steps[dict[str, Any]]:
    child = f"{run.context.instance_id}:{month}"
    monthly = MonthlyOrder(month, order.policy, order.datasets, started_at=run.now.replace(microsecond=0))
    try:
        yield run.context.call_sub_orchestrator(MONTHLY_EXPORTS, monthly.to_json(), child, expected_type=dict)
    except Exception as fault:
        problem = (yield from how_they_ended(run, {child: as_it_arrived(fault)}))[child]
        if problem is None:
            return {"month": month, "state": "cancelled", "error": None}
        return {"month": month, "state": "failed", "error": f"{problem.code}: {problem.message}"[:100]}
    return {"month": month, "state": "succeeded", "error": None}


def _some_failed(failed: list[str], of: int) -> Problem:
    return Problem(
        "MonthsFailed",
        f"{len(failed)} of {of} months could not be exported: {'; '.join(failed)}"[:1000],
        "Do what the statuses or notices of these months say, then start them again: what landed is kept.",
    )
