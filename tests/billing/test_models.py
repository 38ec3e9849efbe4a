"""What a caller may ask for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import EXPORT_ID, ExportRequest, InvalidRequest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
FIELD_VALUES = st.sampled_from(["G016907411", "full", "basic", "billedUsage"]) | JSON
BODIES = JSON | st.dictionaries(st.sampled_from(["invoiceId", "attributeSet", "dataset"]), FIELD_VALUES)


def test_the_invoice_id_is_enough() -> None:
    """An invoice id alone asks for the full billed usage."""
    request = ExportRequest.from_json({"invoiceId": "G016907411"})
    assert request == ExportRequest("G016907411", "full", "billedUsage")
    assert request.export_id == "billedUsage-G016907411-full"
    assert request.graph_body == {"invoiceId": "G016907411", "attributeSet": "full"}
    assert request.dataset.path == "/reports/partners/billing/usage/billed/export"
    assert request.dataset.folder == "billed_usage"


@pytest.mark.parametrize("attribute_set", ["full", "basic"])
def test_a_request_survives_json(attribute_set: str) -> None:
    """A request that was written as JSON is read back as the same request, under an id of the documented grammar."""
    request = ExportRequest.from_json({"invoiceId": "G016907411", "attributeSet": attribute_set})
    assert ExportRequest.from_json(request.to_json()) == request
    assert EXPORT_ID.fullmatch(request.export_id)


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
        ExportRequest.from_json({"invoiceId": invoice_id})
    assert [field for field, _ in caught.value.faults] == ["invoiceId"]


def test_all_faults_at_once() -> None:
    """A caller learns every fault of the body from one answer, each by the name of its field."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.from_json(
            {"invoiceId": None, "attributeSet": "unknownFutureValue", "dataset": "unbilledUsage", "x": 1}
        )
    assert [field for field, _ in caught.value.faults] == ["x", "invoiceId", "attributeSet", "dataset"]
    assert all(sentence in str(caught.value) for _, sentence in caught.value.faults)


def test_missing_invoice_id() -> None:
    """The one required field is named when it is missing."""
    with pytest.raises(InvalidRequest, match="required") as caught:
        ExportRequest.from_json({})
    assert [field for field, _ in caught.value.faults] == ["invoiceId"]


@pytest.mark.parametrize("body", [None, [], "G016907411", 1, [{"invoiceId": "G016907411"}]])
def test_only_an_object_is_a_request(body: object) -> None:
    """Any other JSON is refused as a whole."""
    with pytest.raises(InvalidRequest) as caught:
        ExportRequest.from_json(body)
    assert caught.value.faults == (("", "The body must be a JSON object."),)


@given(BODIES)
def test_any_json_is_taken_or_refused(body: object) -> None:
    """Whatever a caller sends is a well-formed request, or is refused with its faults; nothing else is raised."""
    try:
        request = ExportRequest.from_json(body)
    except InvalidRequest:
        return
    assert re.fullmatch(r"billedUsage-G[0-9]{4,15}-(full|basic)", request.export_id)
