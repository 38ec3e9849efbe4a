"""Makes the tables of a month's invoices, one after the other; one that fails does not stop the others."""

from dataclasses import replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from messages.months import InvoicesOrder
from messages.names import BUILD_TABLES, FIND_LANDED, LIST_TABLES, READ_TABLES
from messages.notices import TABLE
from messages.problems import Problem
from messages.tables import LandedInvoices, TablesOrder
from orchestrator.blueprint import blueprint
from orchestrator.build_table import table_of
from orchestrator.endings import to_its_end
from orchestrator.run import ContinueAsNew, ExportFailed, Run, Steps

TABLES_PER_HISTORY = 50
"""Tables before continuing as new."""


@blueprint.orchestration_trigger(context_name="context", orchestration=BUILD_TABLES, input_type=dict)
def build_tables(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """`tables`: for each invoice its table, as callers see it; fails when one of them did."""
    return (yield from to_its_end(context, _play, TABLE))


@blueprint.orchestration_trigger(context_name="context", orchestration=LIST_TABLES, input_type=dict)
def list_tables(context: DurableOrchestrationContext) -> Steps[Any]:
    """What `read_tables` found."""
    return (yield context.call_activity(READ_TABLES, context.get_input(), expected_type=dict))


def _play(run: Run) -> Steps[dict[str, Any]]:
    order = TablesOrder.from_json(run.context.get_input())
    run.begin(order.policy, order.started_at)
    if not order.invoices:
        run.show("listing")
        found = yield from run.call(FIND_LANDED, InvoicesOrder(order.month), LandedInvoices)
        order = replace(order, invoices=found.invoice_ids)
    done = list(order.done)
    for invoice in order.invoices[len(done) :][:TABLES_PER_HISTORY]:
        run.show("tabulating", len(done), len(order.invoices), result=_result(order, done))
        done.append({"invoiceId": invoice, **(yield from table_of(run, invoice, order.policy))})
    if len(done) < len(order.invoices):
        raise ContinueAsNew(replace(order, started_at=run.started_at, done=done))
    failed = [f"{table['invoiceId']}: {table['error']}" for table in done if table["state"] == "failed"]
    if failed:
        raise ExportFailed(_some_failed(failed, len(done)))
    run.show("done", len(done), len(done))
    return _result(order, done)


def _result(order: TablesOrder, done: list[dict[str, Any]]) -> dict[str, Any]:
    return {"month": order.month, "tables": done}


def _some_failed(failed: list[str], of: int) -> Problem:
    return Problem(
        "TablesFailed",
        f"{len(failed)} of {of} tables could not be made: {'; '.join(failed)}"[:1000],
        "Do what the statuses or notices of these tables say, then start them again.",
    )
