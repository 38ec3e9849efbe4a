"""Makes the table of one invoice from what has landed of it: the story, with nothing but decisions in it."""

import logging
from dataclasses import replace
from typing import Any, TypeVar

from azure.durable_functions import DurableOrchestrationContext

from messages.encoding import Message
from messages.exports import Policy
from messages.names import (
    BUILD_TABLE,
    CONVERT_LINES,
    MARK_NO_DATA,
    PLAN_TABLE,
    PUBLISH_TABLE,
    READ_INVOICE,
    SETTLE_TABLE,
)
from messages.notices import TABLE
from messages.problems import Answer, Problem
from messages.tables import (
    Building,
    ConvertAnswer,
    ConvertOrder,
    EngineAnswer,
    InvoiceAnswer,
    InvoiceOrder,
    PlanAnswer,
    PlanOrder,
    PublishAnswer,
    SettleAnswer,
    TableOrder,
    TableResult,
    TableStep,
)
from orchestrator.blueprint import blueprint
from orchestrator.endings import to_its_end
from orchestrator.policy import retry_delay
from orchestrator.run import ContinueAsNew, ExportAnew, ExportFailed, Run, Steps, reason_of

ATTEMPTS = 5
"""Times that a table is planned again because what landed has changed meanwhile."""

SLICES_PER_HISTORY = 100
"""Calls of `convert_lines` before continuing as new."""

A = TypeVar("A", bound=EngineAnswer)


@blueprint.orchestration_trigger(context_name="context", orchestration=BUILD_TABLE, input_type=dict)
def build_table(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """`TableResult`, as JSON. A notice announces a table that fails; one that succeeds is announced by its export."""
    return (yield from to_its_end(context, _play, TABLE))


def table_of(run: Run, invoice_id: str, policy: Policy) -> Steps[dict[str, Any]]:
    """The invoice's table, made by an orchestration of its own, as callers see it; that it failed, where it did."""
    child = _child_of(run)
    run.status.wait_for(child)
    try:
        made: dict[str, Any] = yield _begin(run, child, TableOrder(invoice_id, policy))
    except Exception as fault:
        made = failed_table(run, invoice_id, fault)
    run.status.wait_for(None)
    return made


def begin_table(run: Run, invoice_id: str, policy: Policy, *, without_usage: bool = False) -> Any:
    """The durable task of the orchestration that makes the invoice's table."""
    return _begin(run, _child_of(run), TableOrder(invoice_id, policy, without_usage=without_usage))


def _child_of(run: Run) -> str:
    return f"{run.context.instance_id}:table:{run.context.new_uuid()[:8]}"


def _begin(run: Run, child: str, order: TableOrder) -> Any:
    order = replace(order, started_at=run.now.replace(microsecond=0))
    return run.context.call_sub_orchestrator(BUILD_TABLE, order.to_json(), child, expected_type=dict)


def failed_table(run: Run, invoice_id: str, fault: object) -> dict[str, Any]:
    """What callers see of a table that failed, which is in the log as well."""
    run.log(logging.WARNING, "has no table of %s: %s", invoice_id, reason_of(fault))
    return {"state": "failed", "error": reason_of(fault)[:200]}


def _play(run: Run) -> Steps[dict[str, Any]]:
    order = TableOrder.from_json(run.context.get_input())
    run.begin(order.policy, order.started_at, order.deadline, order.attempt, order.last_problem)
    try:
        made = yield from _attempt(run, order)
    except ExportAnew as reason:
        yield from _wait_to_plan_again(run, order, reason.problem)
        raise _going_on(run, order, attempt=order.attempt + 1, building=None) from None
    return made.to_json()


def _attempt(run: Run, order: TableOrder) -> Steps[TableResult]:
    building = order.building
    if not building:
        planned = yield from _plan(run, order)
        if planned.table:
            run.show("done")
            return planned.table
        assert planned.plan  # noqa: S101  # the answer has one of the two
        building = Building(planned.plan)
    building = yield from _convert(run, building)
    if building.next < building.plan.blob_count:
        raise _going_on(run, order, building=building)
    _show(run, "settling", building)
    step = TableStep(building.plan, run.context.instance_id)
    settled = yield from _call_in_turn(run, SETTLE_TABLE, step, SettleAnswer)
    table = yield from _publish(run, step, settled.files, building.bytes)
    _show(run, "done", building)
    return table


def _plan(run: Run, order: TableOrder) -> Steps[PlanAnswer]:
    run.show("planning")
    if order.without_usage:
        yield from run.call(MARK_NO_DATA, InvoiceOrder(order.invoice_id), Answer)
    invoice = yield from run.call(READ_INVOICE, InvoiceOrder(order.invoice_id), InvoiceAnswer)
    return (yield from run.call(PLAN_TABLE, PlanOrder(order.invoice_id, invoice.month), PlanAnswer))


def _convert(run: Run, building: Building) -> Steps[Building]:
    """Converts blobs, as many as fit into this history."""
    for _ in range(SLICES_PER_HISTORY):
        if building.next == building.plan.blob_count:
            break
        _show(run, "converting", building)
        order = ConvertOrder(building.plan, building.next, run.context.instance_id)
        answer = yield from _call_in_turn(run, CONVERT_LINES, order, ConvertAnswer)
        building = replace(building, next=answer.next, bytes=building.bytes + answer.bytes)
    return building


def _publish(run: Run, step: TableStep, files: int, bytes_read: int) -> Steps[TableResult]:
    """Publishes file by file: the table that this makes, or that somebody else has published meanwhile."""
    for file in range(files):
        run.show("publishing", file, files, bytes_read)
        answer = yield from _call_in_turn(run, PUBLISH_TABLE, replace(step, file=file), PublishAnswer)
        if answer.table:
            return answer.table
    raise AssertionError("unreachable: the last file's answer has the table")


def _call_in_turn(run: Run, activity: str, message: Message, answer: type[A]) -> Steps[A]:
    """The answer of an activity that needs the engine, which is called again as long as others have it."""
    tries = 0
    while (reply := (yield from run.call(activity, message, answer))).busy:
        tries += 1
        yield from run.wait(retry_delay(tries, run.retry_seconds), "another table was being made.")
    return reply


def _wait_to_plan_again(run: Run, order: TableOrder, problem: Problem) -> Steps[None]:
    if order.attempt >= ATTEMPTS:
        raise ExportFailed(problem)
    seconds = retry_delay(order.attempt, order.policy.retry_seconds)
    run.meet(problem, seconds)
    yield from run.wait(seconds, problem.message, problem)


def _going_on(run: Run, order: TableOrder, **changes: Any) -> ContinueAsNew:
    known = replace(order, deadline=run.deadline, started_at=run.started_at, last_problem=run.status.last_problem)
    return ContinueAsNew(replace(known, **changes))


def _show(run: Run, phase: str, building: Building) -> None:
    run.show(phase, building.next, building.plan.blob_count, building.bytes)
