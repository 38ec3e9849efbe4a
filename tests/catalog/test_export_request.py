"""What a caller may ask for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.datasets import DATASETS, FIELDS
from catalog.export_request import ExportRequest
from catalog.invalid_request import InvalidRequest
from catalog.run_ids import EXPORT_ID

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
FIELD_VALUES = st.sampled_from(["G016907411", "full", "basic", "USD", "last", *DATASETS]) | JSON
BODIES = JSON | st.dictionaries(st.sampled_from(["dataset", *FIELDS]), FIELD_VALUES)


INVOICE = {"invoiceId": "G016907411"}
MONEY = {"currencyCode": "USD", "billingPeriod": "last"}
NOVEMBER = datetime(2026, 11, 9, 6, tzinfo=UTC)


def test_the_invoice_id_is_enough() -> None:
    """An invoice id alone asks for the full billed usage."""
    request = ExportRequest.parse(INVOICE)
    assert request == ExportRequest.of_invoice("G016907411")
    assert request.export_id == "billedUsage-G016907411-full"
    assert request.values == {"invoiceId": "G016907411", "attributeSet": "full"}


CASES = [
    (
        {"dataset": "billedUsage", **INVOICE, "attributeSet": "basic"},
        "billedUsage-G016907411-basic",
        "/usage/billed/export",
        "billed_usage/invoice_id=G016907411/attribute_set=basic",
    ),
    (
        {"dataset": "unbilledUsage", **MONEY},
        "unbilledUsage-USD-last-full",
        "/usage/unbilled/export",
        "unbilled_usage/currency=USD/period=2026-10/attribute_set=full",
    ),
    (
        {"dataset": "unbilledUsage", **MONEY, "billingPeriod": "current"},
        "unbilledUsage-USD-current-full",
        "/usage/unbilled/export",
        "unbilled_usage/currency=USD/period=2026-11/attribute_set=full",
    ),
    (
        {"dataset": "billedReconciliation", **INVOICE},
        "billedReconciliation-G016907411-full",
        "/reconciliation/billed/export",
        "billed_reconciliation/invoice_id=G016907411/attribute_set=full",
    ),
    (
        {"dataset": "unbilledReconciliation", **MONEY, "attributeSet": "basic"},
        "unbilledReconciliation-USD-last-basic",
        "/reconciliation/unbilled/export",
        "unbilled_reconciliation/currency=USD/period=2026-10/attribute_set=basic",
    ),
    (
        {"dataset": "billedAggregatedUsage", **INVOICE},
        "billedAggregatedUsage-G016907411",
        "/aggregatedUsage/billed/export",
        "billed_aggregated_usage/invoice_id=G016907411",
    ),
]


@pytest.mark.parametrize(("body", "export_id", "path", "folder"), CASES)
def test_each_dataset_has_its_id_path_and_folder(body: dict[str, str], export_id: str, path: str, folder: str) -> None:
    """Microsoft's path, our id and the landing folder are those documented; a moving period lands under its month."""
    request = ExportRequest.parse(body)
    partitions = request.partitions(request.month_at(NOVEMBER))
    assert request.export_id == export_id
    assert EXPORT_ID.fullmatch(export_id)
    assert request.dataset.path == f"/reports/partners/billing{path}"
    assert "/".join([request.dataset.folder, *(f"{key}={value}" for key, value in partitions)]) == folder
    assert ExportRequest.from_json(request.to_json()) == ExportRequest.parse(request.to_json()) == request


@pytest.mark.parametrize(
    "invoice_id",
    [
        "",
        "D0300AB1CD",
        "g016907411",
        "G",
        "G123",
        "G0169074110000000",
        "G016907411\n",
        "G01/../x",
        "G\u0660\u0661\u0666\u0669\u0660",
        16907411,
    ],
)
def test_other_invoice_ids_are_refused(invoice_id: object) -> None:
    """Only the id of a new-commerce invoice gets as far as a URL or a path."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.parse({"invoiceId": invoice_id})
    assert [field for field, _ in caught.value.faults] == ["invoiceId"]


def test_all_faults_at_once() -> None:
    """A caller learns every fault of the body from one answer, each by the name of its field."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.parse({"invoiceId": None, "attributeSet": "unknownFutureValue", "dataset": "secret", "x": 1})
    assert [field for field, _ in caught.value.faults] == ["dataset", "x", "invoiceId", "attributeSet"]
    assert all(sentence in str(caught.value) for _, sentence in caught.value.faults)


def test_missing_invoice_id() -> None:
    """The one required field is named when it is missing."""
    with pytest.raises(InvalidRequest, match="required") as caught:
        ExportRequest.parse({})
    assert [field for field, _ in caught.value.faults] == ["invoiceId"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"dataset": "unbilledUsage", **INVOICE}, ["invoiceId", "currencyCode", "billingPeriod"]),
        ({"dataset": "unbilledUsage", "currencyCode": "usd", "billingPeriod": "2026-10"}, list(MONEY)),
        ({"dataset": "billedAggregatedUsage", **INVOICE, "attributeSet": "full"}, ["attributeSet"]),
        ({**INVOICE, "currencyCode": "USD"}, ["currencyCode"]),
    ],
)
def test_each_dataset_takes_its_own_fields_only(body: dict[str, str], fields: list[str]) -> None:
    """What another dataset would take is a fault, as is what this one lacks."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.parse(body)
    assert [field for field, _ in caught.value.faults] == fields


@pytest.mark.parametrize("body", [None, [], "G016907411", 1, [{"invoiceId": "G016907411"}]])
def test_only_an_object_is_a_request(body: object) -> None:
    """Any other JSON is refused as a whole."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.parse(body)
    assert caught.value.faults == (("", "The body must be a JSON object."),)


@given(BODIES)
def test_any_json_is_taken_or_refused(body: object) -> None:
    """Whatever a caller sends is a well-formed request, or is refused with its faults; nothing else is raised."""
    try:
        request = ExportRequest.parse(body)
    except InvalidRequest:
        return
    assert EXPORT_ID.fullmatch(request.export_id)
    assert len(request.export_id) < 45
