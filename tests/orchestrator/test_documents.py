"""What becomes of a month's documents as Partner Center lists them, look after look."""

from datetime import UTC, datetime

import pytest

from messages.exports import Result
from messages.months import Document, Outcome
from messages.problems import Problem
from orchestrator.documents import Documents

NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)
RUN = "monthly-2026-10"
USAGE = f"{RUN}:billedUsage-G016907411-full"
FAULT = Problem("HTTP503", "The service is away.", "Wait.")
LANDED = Result("tag", "5f0c2ab94d3e7a10", 8, 1000, "landing", unchanged=False)

INVOICE = Document("G016907411")
VOID = Document("G016907411", voided=True, replaced_by="G021907411")
NOTE = Document("G022907411", "void_note", exported=False)
UNREADABLE = Document("G016907411", exported=False, readable=False)


@pytest.fixture
def documents() -> Documents:
    """Those of a month in which nothing has been listed yet, and of which usage is exported."""
    return Documents("2026-10", RUN, ["billedUsage"], [])


def _told(documents: Documents) -> list[tuple[str, str, str | None]]:
    return [(outcome.id, outcome.state, outcome.replaced_by) for outcome in documents.outcomes]


def test_an_invoice_that_is_voided_later_keeps_what_landed(documents: Documents) -> None:
    """Its state says so, and what replaces it; the last look exports it once more, as all else."""
    documents.list([INVOICE])
    documents.land(USAGE, LANDED, NOW)
    documents.list([VOID, NOTE])
    assert _told(documents) == [(USAGE, "voided", "G021907411"), (NOTE.id, "listed", None)]
    assert documents.outcomes[0].version == LANDED.version
    assert list(documents.due(is_last=True)) == [USAGE]
    assert documents.verdict() is None


def test_what_was_listed_once_stays(documents: Documents) -> None:
    """A list that lacks a note, or the invoice itself, makes nothing undone."""
    documents.list([VOID])
    for listed in ([INVOICE], []):
        documents.list(listed)
        assert _told(documents) == [(USAGE, "voided", "G021907411")]


def test_a_voided_invoice_is_exported_and_fails_no_month(documents: Documents) -> None:
    """Whatever its export ends with, it stays voided."""
    documents.list([VOID])
    assert list(documents.due(is_last=False)) == [USAGE]
    documents.begin(USAGE, NOW)
    documents.fail(USAGE, FAULT, NOW, is_last=True)
    assert _told(documents) == [(USAGE, "voided", "G021907411")]
    assert documents.outcomes[0].error == FAULT
    assert documents.verdict() is None


def test_what_a_person_cancelled_stays_so_when_it_is_voided(documents: Documents) -> None:
    """No look begins it again."""
    documents.list([INVOICE])
    documents.fail(USAGE, None, NOW, is_last=False)
    documents.list([VOID])
    assert _told(documents) == [(USAGE, "cancelled", "G021907411")]
    assert not documents.due(is_last=True)


def test_a_voided_invoice_whose_export_a_person_cancelled_is_left_alone(documents: Documents) -> None:
    """Its state says why; what replaces it stands there too."""
    documents.list([VOID])
    documents.fail(USAGE, None, NOW, is_last=False)
    assert _told(documents) == [(USAGE, "cancelled", "G021907411")]
    assert not documents.due(is_last=True)


def test_what_had_landed_when_a_person_cancelled_its_last_export_is_still_there(documents: Documents) -> None:
    """The version stands beside the state, and a look that is asked for leaves the export alone."""
    documents.list([INVOICE])
    documents.land(USAGE, LANDED, NOW)
    documents.fail(USAGE, FAULT, NOW, is_last=True)
    assert _told(documents) == [(USAGE, "landed", None)]
    documents.fail(USAGE, None, NOW, is_last=True)
    assert _told(documents) == [(USAGE, "cancelled", None)]
    assert documents.outcomes[0].version == LANDED.version
    assert not documents.due(is_last=True)


def test_an_invoice_that_was_unreadable_is_exported_when_it_is_dated(documents: Documents) -> None:
    """Nothing is left of the entry that nobody could place."""
    documents.list([UNREADABLE])
    assert _told(documents) == [(UNREADABLE.id, "unreadable", None)]
    documents.list([INVOICE])
    assert _told(documents) == [(USAGE, "waiting", None)]


def test_a_note_that_was_unreadable_is_listed_when_it_is_dated(documents: Documents) -> None:
    """Its state is that of the latest list."""
    documents.list([Document(NOTE.id, NOTE.kind, exported=False, readable=False)])
    documents.list([NOTE])
    assert documents.outcomes == [Outcome(NOTE.id, NOTE.id, None, "void_note", "listed")]


def test_notes_alone_are_not_taken_for_no_invoice(documents: Documents) -> None:
    """A void note at the top may be all that a month has; what nobody can place proves nothing."""
    documents.list([UNREADABLE])
    assert (problem := documents.verdict())
    assert problem.code == "NoInvoice"
    documents.list([NOTE])
    assert documents.verdict() is None
