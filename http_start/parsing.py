"""What callers send: read, checked against its grammar, refused with every fault."""

import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

import azure.functions as func

from catalog.export_request import ExportRequest
from catalog.invalid_request import InvalidRequest
from catalog.months import MONTH, month_before
from catalog.months_request import MonthsRequest
from catalog.run_ids import SUBJECT_ID, TABLE_ID
from catalog.tables_request import MONTH_RULE, TablesRequest
from http_start.answers import Refused

MOST_BODY_BYTES = 16 << 10

LISTED = timedelta(days=40)
"""How far the list of exports goes back when the caller does not say: the last month's and this month's runs."""

# Before any export: keeps far dates within what Durable's clients can write.
BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)


def export_request(request: func.HttpRequest) -> ExportRequest:
    """The export that the body asks for.

    Raises:
        InvalidRequest: with every fault.
        Refused: when the body is too large.
    """
    return ExportRequest.parse(_json(request))


def months(request: func.HttpRequest, now: datetime) -> MonthsRequest:
    """The billing months that the body asks for.

    Raises:
        InvalidRequest: with every fault.
        Refused: when the body is too large.
    """
    return MonthsRequest.parse(_json(request), month_before(now))


def tables_request(request: func.HttpRequest) -> TablesRequest:
    """The tables that the body asks for.

    Raises:
        InvalidRequest: with every fault.
        Refused: when the body is too large.
    """
    return TablesRequest.parse(_json(request))


def month(request: func.HttpRequest) -> str:
    """The month in the query, as `2026-10`.

    Raises:
        InvalidRequest: when it is none.
    """
    text = str(request.params.get("month", ""))
    if not MONTH.fullmatch(text):
        raise InvalidRequest([("month", MONTH_RULE)])
    return text


def table_id(request: func.HttpRequest) -> str:
    """The id in the path, of what makes tables or one of them; what is no such id is unknown.

    Raises:
        Refused: as not found.
    """
    given = TABLE_ID.fullmatch(unquote(str(request.route_params.get("id", ""))))
    if not given:
        raise Refused(HTTPStatus.NOT_FOUND, "There is no table of this id.")
    return str(given[0])


def _json(request: func.HttpRequest) -> object:
    body = request.get_body()
    if len(body) > MOST_BODY_BYTES:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body must not exceed {MOST_BODY_BYTES} bytes.")
    try:
        return json.loads(body)
    except (RecursionError, ValueError):
        raise InvalidRequest([("", "The body must be a JSON object.")]) from None


def subject_id(request: func.HttpRequest) -> str:
    """The id in the path, of a run or of what runs within it; what is no such id is unknown.

    Raises:
        Refused: as not found.
    """
    given = SUBJECT_ID.fullmatch(unquote(str(request.route_params.get("id", ""))))
    if not given:
        raise unknown_export()
    return str(given[0])


def location(request: func.HttpRequest, run_id: str, collection: str = "exports") -> str:
    """The absolute URL of the run's status, below the one that was called; a key in the call's query stays in it."""
    called = urlsplit(str(request.url))
    path = f"{called.path.rpartition(f'/{collection}')[0]}/{collection}/{run_id}"
    key = {"code": request.params["code"]} if "code" in request.params else {}
    return urlunsplit((called.scheme, called.netloc, path, urlencode(key), ""))


def forget(request: func.HttpRequest) -> bool:
    """Whether the query asks for a run to be forgotten.

    Raises:
        InvalidRequest: when it says neither true nor false.
    """
    text = str(request.params.get("forget", "false"))
    if text not in {"true", "false"}:
        raise InvalidRequest([("forget", "It must be true or false.")])
    return text == "true"


def unknown_export() -> Refused:
    """The refusal of an id that no export has."""
    return Refused(HTTPStatus.NOT_FOUND, "There is no export of this id.")


def since(request: func.HttpRequest, now: datetime) -> datetime:
    """The moment (UTC) from which on exports are listed: the query's `since`, an ISO 8601 date or time.

    Raises:
        InvalidRequest: when it is no such thing.
    """
    text = request.params.get("since")
    if text is None:
        return now - LISTED
    try:
        # A "+" of a zone that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest([("since", "It must be an ISO 8601 date or time, e.g. 2026-10-01.")]) from None
    return max(moment, BEGINNING)
