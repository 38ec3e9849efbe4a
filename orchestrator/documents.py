"""What has become of a month's documents so far, what is to be exported next, and is that all? No I/O."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalog.datasets import RECONCILIATION, TABLED
from catalog.export_request import ExportRequest
from failures import NO_DATA as NO_DATA_CODE
from messages.exports import Result
from messages.months import (
    CANCELLED,
    FAILED,
    LANDED,
    LISTED,
    NO_DATA,
    RUNNING,
    STATES,
    UNREADABLE,
    VOIDED,
    WAITING,
    Document,
    Outcome,
)
from messages.problems import Problem

MOST_SHOWN = 24
"""Exports in the custom status; the result has them all."""

MOST_SHOWN_CHARACTERS = 5000
"""Of their JSON: the custom status has room for 8,192, the error included."""

MOST_ERROR_CHARACTERS = 200
"""Of the message of one export's error."""


class Documents:
    """The exports of a month's documents, by the ids of their runs, which begin with the month's."""

    def __init__(self, month: str, run_id: str, datasets: Sequence[str], outcomes: Iterable[Outcome]) -> None:
        self._month = month
        self._run_id = run_id
        self._datasets = datasets
        self._outcomes = {outcome.id: outcome for outcome in outcomes}

    @property
    def outcomes(self) -> list[Outcome]:
        """Of each export what has become of it, by what a person must look at first."""
        return sorted(self._outcomes.values(), key=lambda outcome: (STATES.index(outcome.state), outcome.id))

    def list(self, documents: Iterable[Document]) -> None:
        """Takes over what Partner Center lists now; what it listed before stays."""
        for document in documents:
            # What could not be placed yesterday may be dated today.
            self._outcomes.pop(document.id, None)
            self._outcomes |= {outcome.id: outcome for outcome in self._outcomes_of(document)}

    def _outcomes_of(self, document: Document) -> Iterator[Outcome]:
        if not document.exported:
            state = LISTED if document.readable else UNREADABLE
            yield Outcome(document.id, document.id, None, document.kind, state)
            return
        for dataset in self._datasets:
            id_ = f"{self._run_id}:{ExportRequest.of_invoice(document.id, dataset).export_id}"
            known = self._outcomes.get(id_) or Outcome(id_, document.id, dataset, document.kind)
            state = VOIDED if document.voided and known.state != CANCELLED else known.state
            yield replace(known, state=state, replaced_by=document.replaced_by or known.replaced_by)

    def due(self, *, is_last: bool) -> dict[str, ExportRequest]:
        """What a look exports: all that has not landed, and the last one all once more; nothing that was cancelled."""
        return {
            id_: ExportRequest.of_invoice(outcome.invoice_id, outcome.dataset)
            for id_, outcome in self._outcomes.items()
            if outcome.dataset and outcome.state != CANCELLED and (is_last or not outcome.has_landed)
        }

    def begin(self, id_: str, now: datetime) -> None:
        """The export begins."""
        if not self._outcomes[id_].has_landed:
            self._change(id_, RUNNING, started_at=now, ended_at=None)

    def land(self, id_: str, result: Result, now: datetime) -> None:
        """The export has succeeded. What landed in an earlier look stays as it was told, if it is still the same."""
        if self._outcomes[id_].version != result.version:
            names = ("version", "previous_version", "blob_count", "bytes", "unchanged")
            landed = {name: getattr(result, name) for name in names}
            self._change(id_, LANDED, **landed, ended_at=now, error=None)

    def fail(self, id_: str, problem: Problem | None, now: datetime, *, is_last: bool) -> None:
        """The export has failed, or was cancelled where there is no problem. What has landed has landed."""
        known = self._outcomes[id_]
        if problem is None:
            # Be it voided, or landed before: no look begins it again.
            self._outcomes[id_] = replace(known, state=CANCELLED, ended_at=now, error=None)
        elif not known.has_landed:
            state = _state_after(problem, known.dataset, is_last=is_last)
            shortened = replace(problem, message=problem.message[:MOST_ERROR_CHARACTERS])
            self._change(id_, state, ended_at=now, error=shortened)

    def can_be_tabulated(self, invoice_id: str) -> bool:
        """Whether something has landed that a table is made of."""
        return any(outcome.has_landed for outcome in self._tabled(invoice_id).values())

    def is_without_usage(self, invoice_id: str) -> bool:
        """Whether the invoice has no daily usage, and none is expected any more."""
        return any(outcome.state == NO_DATA for outcome in self._tabled(invoice_id).values())

    def to_withdraw(self, due: Mapping[str, ExportRequest]) -> Sequence[str]:
        """Invoices that were voided since their table was made, without those of which something is exported anyway."""
        exported = {request.invoice_id for request in due.values()}
        voided = (outcome for outcome in self._outcomes.values() if outcome.state == VOIDED and outcome.table)
        standing = {outcome.invoice_id for outcome in voided if (outcome.table or {}).get("state") != VOIDED}
        return sorted(standing - exported)

    def tabulate(self, invoice_id: str, table: dict[str, Any]) -> None:
        """The invoice's table was made, or has failed."""
        self._outcomes |= {id_: replace(outcome, table=table) for id_, outcome in self._tabled(invoice_id).items()}

    def _tabled(self, invoice_id: str) -> dict[str, Outcome]:
        return {
            id_: outcome
            for id_, outcome in self._outcomes.items()
            if outcome.invoice_id == invoice_id and outcome.dataset in TABLED
        }

    def result(self, *, fitting: bool = False) -> dict[str, Any]:
        """What callers are told; `fitting` into a custom status, as many as there is room for."""
        shown = [outcome.to_json() for outcome in self.outcomes]
        fitting_ones = shown[: _how_many_fit(shown)] if fitting else shown
        return {"month": self._month, "summary": self._summary(), "invoices": fitting_ones}

    def progress(self) -> tuple[int, int, int]:
        """Blobs done, blobs in all, and bytes, of what has landed."""
        blobs = sum(outcome.blob_count for outcome in self._outcomes.values())
        return blobs, blobs, sum(outcome.bytes for outcome in self._outcomes.values())

    def verdict(self) -> Problem | None:
        """Why the month has failed, when there is nothing more to try; None where it has not."""
        if all(outcome.state == UNREADABLE for outcome in self._outcomes.values()):
            return _none_issued(self._month)
        some_landed = {outcome.invoice_id for outcome in self._outcomes.values() if outcome.has_landed}
        missing = [
            outcome
            for outcome in self.outcomes
            if outcome.state == FAILED or (outcome.state == NO_DATA and outcome.invoice_id not in some_landed)
        ]
        nothing_there = all(_has_no_data(outcome) and outcome.invoice_id not in some_landed for outcome in missing)
        remedy = _NOTHING_LANDED if nothing_there else _FIX_IT
        return _some_missing(missing, len(self._outcomes), remedy) if missing else None

    def _summary(self) -> dict[str, int]:
        states = Counter(outcome.state for outcome in self._outcomes.values())
        return {"documents": len(self._outcomes), **{state: states[state] for state in reversed(STATES)}}

    def _change(self, id_: str, state: str, **changes: Any) -> None:
        known = self._outcomes[id_]
        self._outcomes[id_] = replace(known, state=VOIDED if known.state == VOIDED else state, **changes)


def _state_after(problem: Problem, dataset: str | None, *, is_last: bool) -> str:
    """Usage may come days after an invoice, or never where it is one of licences; the reconciliation is there."""
    if problem.code != NO_DATA_CODE:
        return FAILED
    if not is_last:
        return WAITING
    return FAILED if dataset == RECONCILIATION else NO_DATA


def _how_many_fit(outcomes: Sequence[dict[str, Any]]) -> int:
    sizes = itertools.accumulate(len(json.dumps(outcome, ensure_ascii=False)) for outcome in outcomes[:MOST_SHOWN])
    return sum(size <= MOST_SHOWN_CHARACTERS for size in sizes)


def _none_issued(month: str) -> Problem:
    return Problem(
        "NoInvoice",
        f"An invoice for {month} was expected, but none was issued.",
        "Check in Partner Center whether the month has an invoice, or when it is due; then start the month again.",
    )


def _has_no_data(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.code == NO_DATA_CODE


def _some_missing(missing: Sequence[Outcome], of: int, remedy: str) -> Problem:
    reasons = [
        f"{outcome.id.rpartition(':')[2]}: {outcome.error.code}: {outcome.error.message}"
        for outcome in missing
        if outcome.error
    ]
    return Problem(
        "InvoicesFailed",
        f"{len(missing)} of {of} exports of the month failed: {'; '.join(reasons)}"[:1000],
        remedy,
    )


_NOTHING_LANDED = (
    "Nothing of these invoices has landed: check in Partner Center whether they belong to this tenant and have lines, "
    "and that MONTHLY_DATASETS names billedReconciliation; then start the month again."
)
_FIX_IT = "Do what the statuses or notices of these exports say, then start the month again: what landed is kept."
