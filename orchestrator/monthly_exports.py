"""Exports the documents of one billing month, look after look, until all have landed or the last look is over."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from azure.durable_functions import DurableOrchestrationContext

from catalog.export_request import ExportRequest
from messages.exports import ExportOrder, Result
from messages.months import InvoicesAnswer, InvoicesOrder, MonthlyOrder
from messages.names import LIST_INVOICES, LOOK_NOW, MONTHLY_EXPORTS, RUN_EXPORT
from messages.problems import Problem
from orchestrator.blueprint import blueprint
from orchestrator.build_table import begin_table, failed_table
from orchestrator.children import as_it_arrived, how_they_ended
from orchestrator.documents import Documents
from orchestrator.endings import to_its_end
from orchestrator.policy import is_last_look, look_after
from orchestrator.run import ContinueAsNew, ExportAnew, ExportFailed, Run, Steps


@blueprint.orchestration_trigger(context_name="context", orchestration=MONTHLY_EXPORTS, input_type=dict)
def monthly_exports(context: DurableOrchestrationContext) -> Steps[dict[str, Any] | None]:
    """For each export its outcome, as callers see it; fails when none was issued, or one has not landed at last."""
    return (yield from to_its_end(context, lambda run: _Month(run).play()))


class _Month:
    """One month's run. Each of its histories is a wait and a look, and has the same shape.

    The SDK loses events that nobody waits for. So each history waits for two calls to look now from its beginning: one
    ends the wait, the other remembers a call that comes during the look.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._order = order = MonthlyOrder.from_json(run.context.get_input())
        run.begin(order.policy, order.started_at, last_problem=order.last_problem)
        self._last_look = order.last_look or run.now + timedelta(days=order.wait_days)
        self._documents = Documents(order.month, run.context.instance_id, order.datasets, order.outcomes)

    def play(self) -> Steps[dict[str, Any]]:
        unheard = yield from self._wait(self._order.next_look or self._run.now)
        began = self._run.now
        is_last = is_last_look(began, self._last_look)
        unlisted = yield from self._look(is_last=is_last)
        if any(call.is_completed for call in unheard):
            raise self._going_on(self._run.now)
        if not is_last:
            raise self._going_on(look_after(began, self._order.recheck_hours, self._last_look))
        self._require_success(unlisted)
        self._show("done")
        return self._documents.result()

    def _wait(self, until: datetime) -> Steps[list[Any]]:
        """The calls that may still come during the look."""
        if until > self._run.now:
            self._show("waiting")
            self._run.status.wait_until(until)
        else:
            self._show("listing")
        context = self._run.context
        calls = [context.wait_for_external_event(LOOK_NOW, expected_type=str) for _ in range(2)]
        timer = context.create_timer(until)
        woken_by = yield context.task_any([timer, *calls])
        if woken_by is not timer:
            timer.cancel()
        self._run.status.wait_until(None)
        return [call for call in calls if call is not woken_by]

    def _look(self, *, is_last: bool) -> Steps[Problem | None]:
        """Exports what is due; why the list could not be read, if so: then what was listed before is exported."""
        self._run.deadline = self._run.now + timedelta(hours=self._order.policy.export_deadline_hours)
        unlisted = yield from self._list()
        due = self._documents.due(is_last=is_last)
        tables = self._begin_tables(self._documents.to_withdraw(due))
        if due or tables:
            yield from self._export(due, tables, is_last=is_last)
        return unlisted

    def _list(self) -> Steps[Problem | None]:
        self._show("listing")
        try:
            answer = yield from self._run.call(LIST_INVOICES, InvoicesOrder(self._order.month), InvoicesAnswer)
        except (ExportAnew, ExportFailed) as failure:
            self._run.status.meet(failure.problem, self._run.now)
            self._run.log(logging.WARNING, "could not list: %s: %s", failure.problem.code, failure.problem.message)
            return failure.problem
        self._documents.list(answer.documents)
        return None

    def _export(self, due: Mapping[str, ExportRequest], tables: dict[Any, str], *, is_last: bool) -> Steps[None]:
        """Exports, and makes the tables of what was exported, until these and those that have begun are done."""
        running = {self._begin(id_, request, is_last=is_last): id_ for id_, request in due.items()}
        self._show("exporting")
        while running or tables:
            done = yield self._run.context.task_any([*running, *tables])
            if done in tables:
                self._take_table(tables.pop(done), done.result)
            else:
                ended = {running.pop(task): task.result for task in [*running] if task.is_completed}
                yield from self._take_exports(ended, is_last=is_last)
                open_ones = {due[id_].invoice_id for id_ in running.values()}
                settled = dict.fromkeys(due[id_].invoice_id for id_ in ended if due[id_].invoice_id not in open_ones)
                tables |= self._begin_tables(settled)
            self._show("exporting")

    def _take_exports(self, ended: Mapping[str, Any], *, is_last: bool) -> Steps[None]:
        """Takes what landed, and why the others failed, unless a person cancelled them."""
        failed = {id_: as_it_arrived(result) for id_, result in ended.items() if isinstance(result, Exception)}
        for id_, result in ended.items():
            if id_ not in failed:
                self._documents.land(id_, Result.from_json(result), self._now)
        for id_, problem in (yield from how_they_ended(self._run, failed)).items():
            self._documents.fail(id_, problem, self._now, is_last=is_last)
            if problem:
                self._run.log(logging.WARNING, "could not export %s: %s: %s", id_, problem.code, problem.message)

    def _begin(self, id_: str, request: ExportRequest, *, is_last: bool) -> Any:
        """While looks remain, each is the next try of what failed in this one."""
        policy = replace(self._order.policy, tables=False)
        policy = policy if is_last else replace(policy, export_attempts=1)
        order = ExportOrder(request, policy, tells_failure=is_last, tells_no_data=False, started_at=self._now)
        self._documents.begin(id_, self._now)
        return self._run.context.call_sub_orchestrator(RUN_EXPORT, order.to_json(), id_, expected_type=dict)

    def _begin_tables(self, invoices: Iterable[str]) -> dict[Any, str]:
        """The tables of invoices all of whose exports have settled, so that none of them makes one of its own."""
        return {
            begin_table(
                self._run, invoice, self._order.policy, without_usage=self._documents.is_without_usage(invoice)
            ): invoice
            for invoice in invoices
            if self._order.policy.tables and self._documents.can_be_tabulated(invoice)
        }

    def _take_table(self, invoice: str, made: Any) -> None:
        table = failed_table(self._run, invoice, made) if isinstance(made, Exception) else made
        self._documents.tabulate(invoice, table)

    @property
    def _now(self) -> datetime:
        return self._run.now.replace(microsecond=0)

    def _going_on(self, next_look: datetime) -> ContinueAsNew:
        return ContinueAsNew(
            replace(
                self._order,
                started_at=self._run.started_at,
                last_look=self._last_look,
                next_look=next_look,
                outcomes=self._documents.outcomes,
                last_problem=self._run.status.last_problem,
            )
        )

    def _show(self, phase: str) -> None:
        self._run.show(phase, *self._documents.progress(), self._documents.result(fitting=True))

    def _require_success(self, unlisted: Problem | None) -> None:
        if unlisted:
            self._show("listing")
            raise ExportFailed(unlisted)
        if failed := self._documents.verdict():
            raise ExportFailed(failed)
