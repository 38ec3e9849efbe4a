"""Exports the invoices of one billing month as they are issued, each as a sub-orchestration; none stops the others."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.export_request import ExportRequest
from messages.exports import ExportOrder, Result
from messages.months import InvoicesAnswer, InvoicesOrder, MonthlyOrder, Outcome
from messages.names import LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT
from messages.problems import Problem
from orchestrator.blueprint import blueprint
from orchestrator.cancelled import find_cancelled
from orchestrator.endings import to_its_end
from orchestrator.run import ContinueAsNew, ExportFailed, Run, Steps, reason_of

MOST_SHOWN = 24
"""Exports in the custom status; the result has them all."""

MOST_SHOWN_CHARACTERS = 5000
"""Of their JSON: the custom status has room for 8,192, the error included."""


@blueprint.orchestration_trigger(context_name="context", orchestration=MONTHLY_EXPORTS, input_type=dict)
def monthly_exports(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """For each invoice its outcome, as callers see it; fails when none was issued, or one could not be exported."""
    return (yield from to_its_end(context, lambda run: _Month(run).play()))


class _Month:
    """One month's run: looks for invoices, again and again while some may still come, and exports what is new.

    Exporting, and waiting for more, take hours, so each begins a history.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._order = order = MonthlyOrder.from_json(run.context.get_input())
        self._last_look = order.last_look or run.now + timedelta(days=order.wait_days)
        deadline = self._last_look + timedelta(hours=order.policy.export_deadline_hours)
        run.begin(order.policy, order.started_at, deadline, last_problem=order.last_problem)
        self._outcomes = {_export_id(outcome): outcome for outcome in order.outcomes}

    def play(self) -> Steps[dict[str, Any]]:
        if self._order.invoices:
            yield from self._export(self._new(self._order.invoices))
        else:
            yield from self._wait_and_look()
        if self._run.now < self._last_look:
            raise self._going_on([])
        self._require_success()
        self._show("done")
        return self._result()

    def _wait_and_look(self) -> Steps[None]:
        if self._order.looked:
            self._show("waiting")
            wait = min(timedelta(hours=self._order.recheck_hours), self._last_look - self._run.now)
            yield from self._run.wait(wait.total_seconds(), "more invoices may come.")
        self._show("listing")
        answer = yield from self._run.call(LIST_INVOICES, InvoicesOrder(self._order.month), InvoicesAnswer)
        self._show("exporting")
        if self._new(answer.invoice_ids):
            raise self._going_on(answer.invoice_ids)

    def _going_on(self, invoices: Sequence[str]) -> ContinueAsNew:
        return ContinueAsNew(
            replace(
                self._order,
                started_at=self._run.started_at,
                last_look=self._last_look,
                looked=True,
                invoices=list(invoices),
                outcomes=list(self._outcomes.values()),
                last_problem=self._run.status.last_problem,
            )
        )

    def _new(self, invoice_ids: Sequence[str]) -> list[ExportRequest]:
        requests = [ExportRequest.of_invoice(id_, dataset) for id_ in invoice_ids for dataset in self._order.datasets]
        return [request for request in requests if request.export_id not in self._outcomes]

    def _export(self, requests: Sequence[ExportRequest]) -> Steps[None]:
        self._show("exporting")
        running = {self._begin(request): request for request in requests}
        while running:
            done = yield self._run.context.task_any(list(running))
            request = running.pop(done)
            self._outcomes[request.export_id] = _outcome(request, done.result)
            self._show("exporting")
        yield from self._tell_cancelled(requests)

    def _tell_cancelled(self, requests: Sequence[ExportRequest]) -> Steps[None]:
        failed = [request for request in requests if self._outcomes[request.export_id].error]
        cancelled = yield from find_cancelled(self._run, [self._child_id(request) for request in failed])
        for request in failed:
            if self._child_id(request) in cancelled:
                self._outcomes[request.export_id] = Outcome(
                    request.values["invoiceId"], request.dataset_name, "cancelled"
                )
        self._show("exporting")

    def _begin(self, request: ExportRequest) -> Any:
        child = self._child_id(request)
        order = ExportOrder(request, self._order.policy, started_at=self._run.now.replace(microsecond=0))
        return self._run.context.call_sub_orchestrator(RUN_EXPORT, order.to_json(), child, expected_type=dict)

    def _child_id(self, request: ExportRequest) -> str:
        return f"{self._run.context.instance_id}:{request.export_id}"

    def _show(self, phase: str) -> None:
        outcomes = self._outcomes.values()
        blobs = sum(outcome.blob_count for outcome in outcomes)
        self._run.show(phase, blobs, blobs, sum(outcome.bytes for outcome in outcomes), self._result(fitting=True))

    def _result(self, *, fitting: bool = False) -> dict[str, Any]:
        # Failures first, so that they are not among those that there is no room for.
        outcomes = sorted(self._outcomes.items(), key=lambda item: (not item[1].error, item[0]))
        invoices = [outcome.to_json() for _, outcome in outcomes]
        return {"month": self._order.month, "invoices": invoices[: _how_many_fit(invoices)] if fitting else invoices}

    def _require_success(self) -> None:
        if not self._outcomes:
            raise ExportFailed(_none_issued(self._order.month))
        failed = [f"{id_}: {outcome.error}" for id_, outcome in sorted(self._outcomes.items()) if outcome.error]
        if failed:
            raise ExportFailed(_some_failed(failed, len(self._outcomes)))


def _export_id(outcome: Outcome) -> str:
    return ExportRequest.of_invoice(outcome.invoice_id, outcome.dataset).export_id


def _outcome(request: ExportRequest, ended: Any) -> Outcome:
    invoice = request.values["invoiceId"]
    if isinstance(ended, Exception):
        return Outcome(invoice, request.dataset_name, "failed", error=reason_of(ended)[:200])
    result = Result.from_json(ended)
    return Outcome(
        invoice,
        request.dataset_name,
        "succeeded",
        result.version,
        result.blob_count,
        result.bytes,
        result.unchanged,
    )


def _how_many_fit(outcomes: Sequence[dict[str, Any]]) -> int:
    sizes = itertools.accumulate(len(json.dumps(outcome, ensure_ascii=False)) for outcome in outcomes[:MOST_SHOWN])
    return sum(size <= MOST_SHOWN_CHARACTERS for size in sizes)


def _none_issued(month: str) -> Problem:
    return Problem(
        "NoInvoice",
        f"An invoice for {month} was expected, but none was issued.",
        "Check in Partner Center whether the invoice is late, then start the month again.",
    )


def _some_failed(failed: Sequence[str], of: int) -> Problem:
    return Problem(
        "InvoicesFailed",
        f"{len(failed)} of {of} exports of the month failed: {'; '.join(failed)}"[:1000],
        "Fix what their messages name, then start the month again: what landed is kept.",
    )
