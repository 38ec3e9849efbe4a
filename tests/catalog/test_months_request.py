"""Which months a caller may ask for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from azure.functions import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from catalog.invalid_request import NOT_COMBINED, NOT_KNOWN, InvalidRequest
from catalog.months import months_between
from catalog.months_request import A_RANGE, MOST_MONTHS, ONE_MONTH, MonthsRequest
from catalog.run_ids import EXPORT_ID, MONTHS_ID, RUN_ID
from http_start import parsing
from http_start.answers import Refused
from tests.http_start.fake_durable import BEGINNING

LATEST = "2026-10"
NO_MONTH = "It must be a month, e.g. 2026-10."
NOT_ENDED = "It must be a month that has ended: 2026-10 at the latest."


def _faults(body: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        MonthsRequest.parse(body, LATEST)
    return list(refused.value.faults)


@pytest.mark.parametrize(
    ("body", "months", "run_id"),
    [
        ({"month": "2026-10"}, MonthsRequest("2026-10"), "monthly-2026-10"),
        ({"month": "2000-01"}, MonthsRequest("2000-01"), "monthly-2000-01"),
        ({"from": "2026-01", "to": "2026-03"}, MonthsRequest("2026-01", "2026-03"), "monthly-2026-01-to-2026-03"),
        ({"to": "2026-10", "from": "2026-10"}, MonthsRequest("2026-10", "2026-10"), "monthly-2026-10-to-2026-10"),
    ],
)
def test_a_month_or_a_range_is_taken(body: object, months: MonthsRequest, run_id: str) -> None:
    """The same months always have the same id, which is one of ours and no export's."""
    assert MonthsRequest.parse(body, LATEST) == months
    assert months.run_id == run_id
    assert MONTHS_ID.fullmatch(run_id)
    assert RUN_ID.fullmatch(run_id)
    assert not EXPORT_ID.fullmatch(run_id)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("month", ONE_MONTH), ("from", A_RANGE), ("to", A_RANGE)]),
        ({"month": None}, [("month", NO_MONTH)]),
        ({"month": 202610}, [("month", NO_MONTH)]),
        ({"month": ["2026-10"]}, [("month", NO_MONTH)]),
        ({"month": "2026-13"}, [("month", NO_MONTH)]),
        ({"month": "2026-10\n"}, [("month", NO_MONTH)]),
        ({"month": "2026-11"}, [("month", NOT_ENDED)]),
        ({"from": "2026-01"}, [("to", NO_MONTH)]),
        ({"to": "2026-01"}, [("from", NO_MONTH)]),
        ({"from": "2026-11", "to": "2026-12"}, [("from", NOT_ENDED), ("to", NOT_ENDED)]),
        ({"from": "soon", "to": 7}, [("from", NO_MONTH), ("to", NO_MONTH)]),
        ({"from": "2026-03", "to": "2026-02"}, [("to", "It must not be before 'from'.")]),
        ({"from": "2023-09", "to": "2026-09"}, [("to", "There must not be more than 36 months.")]),
        ({"from": "2000-01", "to": "2026-10"}, [("to", "There must not be more than 36 months.")]),
        ({"month": "2026-10", "invoiceId": "G016907411"}, [("invoiceId", NOT_KNOWN)]),
        ({"invoiceId": "G016907411"}, [("invoiceId", NOT_KNOWN), ("month", NO_MONTH)]),
        ({"month": "2026-10", "from": "2026-01", "to": "2026-02"}, [("month", NOT_COMBINED)]),
        ({"month": "2026-10", "from": "2026-13", "x": 1}, [
            ("month", NOT_COMBINED),
            ("x", NOT_KNOWN),
            ("from", NO_MONTH),
            ("to", NO_MONTH),
        ]),
    ],
)  # fmt: skip
def test_every_fault_is_named(body: object, faults: list[tuple[str, str]]) -> None:
    """Each with its field, all at once."""
    assert _faults(body) == faults


@pytest.mark.parametrize("body", [None, [], "2026-10", 7, True, ["month"]])
def test_what_is_no_object_is_refused(body: object) -> None:
    """As a whole."""
    assert _faults(body) == [("", "The body must be a JSON object.")]


def test_three_years_are_taken_and_no_month_more() -> None:
    """36 months, counted with both ends."""
    assert len(list(months_between("2023-11", "2026-10"))) == MOST_MONTHS == 36
    assert MonthsRequest.parse({"from": "2023-11", "to": "2026-10"}, LATEST).last == "2026-10"
    assert _faults({"from": "2023-10", "to": "2026-10"})


SOME_MONTHS = st.dates().map(lambda day: f"{day:%Y-%m}") | st.sampled_from(["2026-10", "2026-09", "2026-11", "2024-01"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | SOME_MONTHS
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["month", "from", "to", "x", ""]) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
BODIES = JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("month", "from", "to"), SCALARS))


def _outcome(parse: Callable[[], MonthsRequest]) -> MonthsRequest | InvalidRequest:
    try:
        return parse()
    except InvalidRequest as refused:
        return refused


@given(BODIES)
def test_any_json_is_taken_or_refused(body: Any) -> None:
    """What is taken is a grammatical run of closed months; what is refused says why."""
    outcome = _outcome(lambda: MonthsRequest.parse(body, LATEST))
    if isinstance(outcome, InvalidRequest):
        assert outcome.faults
        assert all(sentence.endswith(".") for _, sentence in outcome.faults)
        return
    assert RUN_ID.fullmatch(outcome.run_id)
    assert outcome.first <= (outcome.last or outcome.first) <= LATEST
    assert set(body) == ({"from", "to"} if outcome.last else {"month"})


@given(st.binary(max_size=64) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_any_body_is_taken_or_refused(body: bytes) -> None:
    """Bytes that are no JSON are a fault like any other."""
    request = HttpRequest("POST", "/api/exports/monthly", body=body)
    outcome = _outcome(lambda: parsing.months(request, BEGINNING))
    assert isinstance(outcome, MonthsRequest) or outcome.faults


def test_the_last_month_that_has_ended_is_told_by_the_clock() -> None:
    """On the first of November October is taken, and November is not."""
    assert parsing.months(_request("2026-10"), BEGINNING) == MonthsRequest("2026-10")
    with pytest.raises(InvalidRequest, match="2026-10 at the latest"):
        parsing.months(_request("2026-11"), BEGINNING)


def test_a_body_that_is_too_large_is_not_read() -> None:
    """It is refused by its size."""
    with pytest.raises(Refused, match="must not exceed"):
        parsing.months(HttpRequest("POST", "/api/exports/monthly", body=b" " * 20_000), BEGINNING)


def _request(month: str) -> HttpRequest:
    return HttpRequest("POST", "/api/exports/monthly", body=json.dumps({"month": month}).encode())


@pytest.mark.parametrize(
    "text",
    [
        "monthly-",
        "monthly-2026-13",
        "monthly-2026-10-to-",
        "monthly-2026-10-to-2026",
        "monthly-2026-10-to-2026-11-to-2026-12",
        "monthly-2026-10:billedUsage-G016907411-full",
        "monthly-2026-10-to-2026-11:2026-10",
        "monthly-2026-10\n",
        "Monthly-2026-10",
        "xmonthly-2026-10",
        "../monthly-2026-10",
    ],
)
def test_no_other_id_is_a_runs(text: str) -> None:
    """Neither a sub-orchestration's, nor one that only looks like a run's."""
    assert not RUN_ID.fullmatch(text)
