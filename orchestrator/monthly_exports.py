"""Exports the invoices of one billing month as they are issued, each as a sub-orchestration; none stops the others."""

import itertools
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.export_request import ExportRequest
from messages.exports import ExportOrder, Result
from messages.months import InvoicesAnswer, InvoicesOrder, MonthlyOrder, Outcome
from messages.names import LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT
from messages.problems import Problem
from orchestrator import notices
from orchestrator.blueprint import blueprint
from orchestrator.run import ExportFailed, Run, Steps, reason_of

MOST_SHOWN = 24
"""Exports in the custom status; the result has them all."""

MOST_SHOWN_CHARACTERS = 5000
"""Of their JSON: the custom status has room for 8,192, the error included."""


@blueprint.orchestration_trigger(context_name="context", orchestration=MONTHLY_EXPORTS, input_type=dict)
def monthly_exports(context: DurableOrchestrationContext) -> Steps[dict[str, Any]]:
    """For each invoice its outcome, as callers see it; fails when none was issued, or one could not be exported."""
    order = MonthlyOrder.from_json(context.get_input())
    month = _Month(Run(context, order.policy, None), order)
    return (yield from notices.with_notice(month.run, f"monthly-{order.month}", month.play()))


class _Month:
    """One month's run: looks for invoices, again and again while some may still come, and exports what is new."""

    def __init__(self, run: Run, order: MonthlyOrder) -> None:
        self.run = run
        self._order = order
        self._last_look = run.now + timedelta(days=order.wait_days)
        run.deadline = self._last_look + timedelta(hours=order.policy.export_deadline_hours)
        self._outcomes: dict[str, Outcome] = {}

    def play(self) -> Steps[dict[str, Any]]:
        recheck = timedelta(hours=self._order.recheck_hours)
        yield from self._look()
        while self.run.now < self._last_look:
            self._show("waiting")
            wait = min(recheck, self._last_look - self.run.now)
            yield from self.run.wait(wait.total_seconds(), "more invoices may come.")
            yield from self._look()
        self._require_success()
        self._show("done")
        return self._result()

    def _look(self) -> Steps[None]:
        self._show("listing")
        answer = yield from self.run.call(LIST_INVOICES, InvoicesOrder(self._order.month), InvoicesAnswer)
        self._show("exporting")
        yield from self._export(answer.invoice_ids)

    def _export(self, invoice_ids: Sequence[str]) -> Steps[None]:
        requests = [ExportRequest.of_invoice(id_, dataset) for id_ in invoice_ids for dataset in self._order.datasets]
        running = {self._begin(request): request for request in requests if request.export_id not in self._outcomes}
        while running:
            done = yield self.run.context.task_any(list(running))
            request = running.pop(done)
            self._outcomes[request.export_id] = _outcome(request, done.result)
            self._show("exporting")

    def _begin(self, request: ExportRequest) -> Any:
        child = f"{self.run.context.instance_id}:{request.export_id}"
        order = ExportOrder(request, self._order.policy)
        return self.run.context.call_sub_orchestrator(RUN_EXPORT, order.to_json(), child, expected_type=dict)

    def _show(self, phase: str) -> None:
        outcomes = self._outcomes.values()
        blobs = sum(outcome.blob_count for outcome in outcomes)
        self.run.show(phase, blobs, blobs, sum(outcome.bytes for outcome in outcomes), self._result(fitting=True))

    def _result(self, *, fitting: bool = False) -> dict[str, Any]:
        # Failures first, so that they are not among those that there is no room for.
        outcomes = sorted(self._outcomes.items(), key=lambda item: (item[1].state, item[0]))
        invoices = [outcome.to_json() for _, outcome in outcomes]
        return {"month": self._order.month, "invoices": invoices[: _how_many_fit(invoices)] if fitting else invoices}

    def _require_success(self) -> None:
        if not self._outcomes:
            raise ExportFailed(_none_issued(self._order.month))
        failed = [f"{id_}: {outcome.error}" for id_, outcome in sorted(self._outcomes.items()) if outcome.error]
        if failed:
            raise ExportFailed(_some_failed(failed, len(self._outcomes)))


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
