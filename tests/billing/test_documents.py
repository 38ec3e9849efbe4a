"""The documents of Partner Center's list, in every form that it writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.documents import ADJUSTMENT_NOTE, INVOICE, VOID_NOTE, Document, documents_of

UNSET = "0001-01-01T00:00:00"
FIELDS = [
    "id",
    "documentType",
    "invoiceDate",
    "billingPeriodStartDate",
    "amendsOf",
    "amendments",
    "totalCharges",
    "currencyCode",
]
PERIOD = {"billingPeriodStartDate": "2026-09-01T00:00:00Z", "billingPeriodEndDate": "2026-09-30T00:00:00Z"}


def _entry(id_: object, kind: object = "Invoice", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "invoiceDate": "2026-10-08T00:00:00Z", "documentType": kind} | fields


def _document(**fields: Any) -> Document:
    (document,) = documents_of([_entry("G000000001") | fields])
    return document


def _placed(*items: object) -> dict[str, str | None]:
    return {document.id: document.month for document in documents_of(items)}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("invoice", INVOICE),
        ("Invoice", INVOICE),
        ("adjustment_note", ADJUSTMENT_NOTE),
        ("AdjustmentNote", ADJUSTMENT_NOTE),
        ("void_note", VOID_NOTE),
        ("VoidNote", VOID_NOTE),
        ("credit_memo", "credit_memo"),
        ("two\nlines", "two lines"),
        (None, "unknown"),
        ({}, "unknown"),
    ],
)
def test_every_spelling_of_a_kind_is_known_and_other_kinds_are_told(told: object, kind: str) -> None:
    """A kind that is new keeps Partner Center's word, fit for a log and a page."""
    assert _document(documentType=told).kind == kind


def test_legacy_documents_are_left_out() -> None:
    """They have no daily-rated usage, and may lack anything."""
    assert _placed(_entry("D0300AB1CD"), {"id": "D0300AB1CE"}, _entry("G000000001")) == {"G000000001": "2026-09"}


@pytest.mark.parametrize("unset", [UNSET, f"{UNSET}Z", None, "", "soon", 20261008, "1899-12-30T00:00:00Z"])
def test_a_date_that_is_not_set_falls_back_to_the_other_one(unset: object) -> None:
    """The billing period counts, wherever it is; without, the month before the date does."""
    assert _document(invoiceDate=unset, **PERIOD).month == "2026-09"
    assert _document(invoiceDate=unset, **PERIOD | {"billingPeriodStartDate": unset}).month == "2026-09"
    assert _document(**dict.fromkeys(PERIOD, unset)).month == "2026-09"
    assert _document(invoiceDate=unset, **dict.fromkeys(PERIOD, unset)).month is None


def test_the_month_before_january_is_december() -> None:
    """An invoice of January is for December of the year before."""
    assert _document(invoiceDate="2027-01-08T00:00:00Z").month == "2026-12"


@pytest.mark.parametrize("id_", ["G1", "g016907411", "G016907411/..", None, "", {}])
def test_what_has_no_id_to_ask_for_is_of_no_month(id_: object) -> None:
    """It is told, for it may be an invoice, and is exported by nobody."""
    (document,) = documents_of([_entry(id_)])
    assert document.month is None
    assert not document.is_exported


def test_invoices_of_a_known_month_alone_are_exported() -> None:
    """Notes have no lines of their own; a voided invoice has."""
    listed = [
        _entry("G000000001", amendments=[_entry("G600000001", "void_note")]),
        _entry("G000000002", invoiceDate=None),
        _entry("G000000003", "AdjustmentNote"),
        _entry("G000000004", "credit_memo"),
    ]
    assert [document.id for document in documents_of(listed) if document.is_exported] == ["G000000001"]


@pytest.mark.parametrize("amends", [{}, {"amendsOf": "G000000001"}])
def test_a_nested_void_note_makes_its_invoice_void(amends: dict[str, str]) -> None:
    """Whether or not it says once more what it stands in."""
    note = _entry("G600000001", "void_note", **amends)
    assert documents_of([_entry("G000000001", amendments=[note])]) == [
        Document("G000000001", INVOICE, "2026-09", voided=True),
        Document("G600000001", VOID_NOTE, "2026-09", amends="G000000001"),
    ]


@pytest.mark.parametrize("nested", [True, False])
def test_an_invoice_that_replaces_another_is_told_by_both(nested: bool) -> None:
    """It stands in the voided one's amendments, or beside it."""
    replacing = _entry("G500000001", amendsOf="G000000001")
    amendments = [_entry("G600000001", "void_note"), *([replacing] if nested else [])]
    listed = [_entry("G000000001", amendments=amendments), *([] if nested else [replacing])]
    voided, replaces, _ = documents_of(listed)
    assert voided == Document("G000000001", INVOICE, "2026-09", voided=True, replaced_by="G500000001")
    assert replaces == Document("G500000001", INVOICE, "2026-09", amends="G000000001")
    assert replaces.is_exported


def test_a_void_note_at_the_top_may_hold_what_belongs_to_it() -> None:
    """All that it holds is about the invoice that it voids, listed or not."""
    note = _entry(
        "G600000001",
        "void_note",
        amendsOf="G000000001",
        amendments=[_entry("G700000001", "adjustment_note"), _entry("G500000001")],
    )
    about = dict.fromkeys(("G500000001", "G600000001", "G700000001"), "G000000001")
    for listed in ([note], [note, _entry("G000000001")]):
        voided, *others = documents_of(listed)
        assert {document.id: document.amends for document in others} == about
        assert voided == Document("G000000001", INVOICE, "2026-09", voided=True, replaced_by="G500000001")
        assert voided.is_exported


@pytest.mark.parametrize("amends", [None, "", "D0300AB1CD", "G0/..", 1])
def test_a_void_note_that_names_no_invoice_stands_for_itself(amends: object) -> None:
    """Nothing is made up of what it says."""
    assert [document.id for document in documents_of([_entry("G600000001", "void_note", amendsOf=amends)])] == [
        "G600000001"
    ]


def test_a_note_that_bears_its_invoices_id_hides_nothing() -> None:
    """The invoice is told once, as void, whether the note stands within it or beside it."""
    note = _entry("G000000001", "void_note")
    for listed in ([_entry("G000000001", amendments=[note])], [_entry("G000000001"), note]):
        assert documents_of(listed) == [Document("G000000001", INVOICE, "2026-09", voided=True)]


def test_a_late_correction_is_of_the_month_that_it_corrects() -> None:
    """What it amends may be long past; its own period, where it has one, counts more."""
    late = _entry("G500000001", amendsOf="G000000001", invoiceDate="2027-02-14T00:00:00Z")
    assert _placed(_entry("G000000001"), late)["G500000001"] == "2026-09"
    assert _placed(_entry("G000000001", **PERIOD), late)["G500000001"] == "2026-09"
    own = late | {"billingPeriodStartDate": "2026-12-01"}
    assert _placed(_entry("G000000001"), own)["G500000001"] == "2026-12"
    assert _placed(late)["G500000001"] == "2027-01"


def test_documents_that_amend_each_other_are_told_all_the_same() -> None:
    """Nonsense does not keep anybody waiting."""
    listed = [_entry("G000000001", amendsOf="G000000002"), _entry("G000000002", amendsOf="G000000001")]
    assert _placed(*listed, _entry("G000000003", amendsOf="G000000003")) == dict.fromkeys(
        ("G000000001", "G000000002", "G000000003"), "2026-09"
    )


def test_a_document_that_stands_on_two_pages_is_told_once() -> None:
    """The list may grow between them."""
    assert documents_of([_entry("G000000001")] * 2) == documents_of([_entry("G000000001")])


@pytest.mark.parametrize(
    ("charged", "total"),
    [
        (18231.44, "18231.44"),
        (-5, "-5.00"),
        (0.125, "0.125"),
        (1e30, f"1{30 * '0'}.00"),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("5", None),
    ],
)
def test_a_total_has_all_its_digits_and_one_that_is_no_number_is_none(charged: object, total: str | None) -> None:
    """Whatever it is, the document stays."""
    assert _document(totalCharges=charged).total == total


SENSELESS = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["G000000001", UNSET, "void_note", "Invoice"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.lists(SENSELESS, max_size=4))
def test_no_entry_keeps_the_others_from_being_found(items: list[object]) -> None:
    """Whatever stands beside it, an invoice is found."""
    found = {document.id: document for document in documents_of([*items, _entry("G999999999", **PERIOD)])}
    assert found["G999999999"].is_exported
    assert found["G999999999"].month == "2026-09"


@pytest.mark.parametrize(
    ("told", "total"),
    [(7511.34, "7511.34"), (100, "100.00"), (-0.5, "-0.50"), (1.005, "1.005"), (None, None), (True, None), ("7", None)],
)
def test_the_total_is_told_with_two_decimals_at_least(told: object, total: str | None) -> None:
    """What is no number is no total."""
    assert _document(totalCharges=told, currencyCode="EUR").total == total
    assert _document(totalCharges=told, currencyCode="EUR").currency == "EUR"
