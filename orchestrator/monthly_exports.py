"""Exports every invoice of one billing month, each as a sub-orchestration; one that fails does not stop the others."""

from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from billing.models import ExportRequest
from orchestrator.blueprint import blueprint
from orchestrator.messages import ExportOrder, InvoicesAnswer, InvoicesOrder, MonthlyOrder, Problem
from orchestrator.names import LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT
from orchestrator.run import ExportFailed, Run, Steps, reason_of


@blueprint.orchestration_trigger(context_name="context", orchestration=MONTHLY_EXPORTS, input_type=dict)
def monthly_exports(context: DurableOrchestrationContext) -> Steps[dict[str, Any]]:
    """For each invoice its outcome, as JSON; fails when none was issued, or when one could not be exported."""
    order = MonthlyOrder.from_json(context.get_input())
    run = Run(context, order.policy, None)
    run.show("listing")
    try:
        invoices = yield from _invoices(run, order)
        run.show("exporting", blob_count=0)
        outcomes = yield from _export_all(run, order, invoices)
        _require_success(outcomes)
    except ExportFailed as failure:
        run.show_failure(failure.problem)
        raise
    return {"month": order.month, "invoices": outcomes}


def _invoices(run: Run, order: MonthlyOrder) -> Steps[list[str]]:
    answer = yield from run.call(LIST_INVOICES, InvoicesOrder(order.month), InvoicesAnswer)
    if answer.problem:
        raise ExportFailed(answer.problem)
    if not answer.invoice_ids:
        raise ExportFailed(
            Problem(
                "NoInvoice",
                f"An invoice for {order.month} was expected, none was issued.",
                "Look into Partner Center whether the invoice is late, then start its export by hand.",
            )
        )
    return answer.invoice_ids


def _export_all(run: Run, order: MonthlyOrder, invoice_ids: list[str]) -> Steps[list[dict[str, Any]]]:
    running = {_begin(run, order, ExportRequest(invoice_id)): invoice_id for invoice_id in invoice_ids}
    outcomes = []
    while running:
        done = yield run.context.task_any(list(running))
        outcomes.append(_outcome(running.pop(done), done.result))
    return sorted(outcomes, key=lambda outcome: str(outcome["invoiceId"]))


def _begin(run: Run, order: MonthlyOrder, request: ExportRequest) -> Any:
    child = f"{run.context.instance_id}:{request.export_id}"
    return run.context.call_sub_orchestrator(
        RUN_EXPORT, ExportOrder(request, order.policy).to_json(), child, expected_type=dict
    )


def _outcome(invoice_id: str, result: Any) -> dict[str, Any]:
    if isinstance(result, Exception):
        return {"invoiceId": invoice_id, "error": reason_of(result)}
    return {"invoiceId": invoice_id, "result": result}


def _require_success(outcomes: list[dict[str, Any]]) -> None:
    failed = [outcome for outcome in outcomes if "error" in outcome]
    if failed:
        told = "; ".join(f"{outcome['invoiceId']}: {outcome['error']}" for outcome in failed)
        raise ExportFailed(
            Problem(
                "InvoicesFailed",
                f"{len(failed)} of {len(outcomes)} invoices could not be exported: {told}"[:2000],
                "Start the exports of these invoices by hand, after mending what their messages name.",
            )
        )
