"""Exports one billing month after the other, for months long past; one that fails does not stop the others."""

from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.months import months_between
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import BACKFILL, MONTHLY_EXPORTS
from messages.problems import Problem
from orchestrator import notices
from orchestrator.blueprint import blueprint
from orchestrator.run import ExportFailed, Run, Steps, reason_of


@blueprint.orchestration_trigger(context_name="context", orchestration=BACKFILL, input_type=dict)
def backfill(context: DurableOrchestrationContext) -> Steps[dict[str, Any]]:
    """For each month what became of it, as callers see it; fails when one of them did."""
    order = BackfillOrder.from_json(context.get_input())
    run = Run(context, order.policy, None)
    return (yield from notices.with_notice(run, context.instance_id, _play(run, order)))


def _play(run: Run, order: BackfillOrder) -> Steps[dict[str, Any]]:
    months: list[dict[str, Any]] = []
    result = {"months": months}
    for month in months_between(order.first, order.last):
        run.show("exporting", result=result)
        months.append((yield from _export(run, MonthlyOrder(month, order.policy, order.datasets))))
    run.show("done", result=result)
    failed = [f"{month['month']}: {month['error']}" for month in months if month["error"]]
    if failed:
        raise ExportFailed(_some_failed(failed, len(months)))
    return result


def _export(run: Run, order: MonthlyOrder) -> Steps[dict[str, Any]]:
    child = f"{run.context.instance_id}:{order.month}"
    try:
        yield run.context.call_sub_orchestrator(MONTHLY_EXPORTS, order.to_json(), child, expected_type=dict)
    except Exception as fault:
        return {"month": order.month, "state": "failed", "error": reason_of(fault)[:100]}
    return {"month": order.month, "state": "succeeded", "error": None}


def _some_failed(failed: list[str], of: int) -> Problem:
    return Problem(
        "MonthsFailed",
        f"{len(failed)} of {of} months could not be exported: {'; '.join(failed)}"[:1000],
        "Fix what their messages name, then start these months again: what landed is kept.",
    )
