"""The id of a request, as each of Microsoft's services calls it."""

import httpx
import pytest

from failures.request_ids import HEADERS, request_id_in


@pytest.mark.parametrize("name", [*HEADERS, "ms-requestid", "X-MS-REQUEST-ID"])
def test_every_service_s_own_name_is_known(name: str) -> None:
    """In any case of letters."""
    assert request_id_in(httpx.Headers({name: "b1b4a0e6"}).get) == "b1b4a0e6"


def test_an_empty_id_is_none() -> None:
    """The next name tells it, or nobody does."""
    assert request_id_in(httpx.Headers({"request-id": "", "x-ms-request-id": "b1b4a0e6"}).get) == "b1b4a0e6"
    assert request_id_in(httpx.Headers({"request-id": " "}).get) is None


def test_an_id_is_fit_to_be_shown() -> None:
    """It is an answer's text like any other."""
    assert request_id_in({"request-id": "one\x1b[31m\ntwo" + "x" * 5000}.get) == ("one [31m two" + "x" * 5000)[:100]
