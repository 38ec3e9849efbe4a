"""What callers are answered: JSON, or a problem document (RFC 9457) that names every fault at once."""

import functools
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, ParamSpec

import azure.functions as func

from catalog.invalid_request import InvalidRequest
from settings import SettingsError

P = ParamSpec("P")
log = logging.getLogger(__name__)


class Refused(Exception):
    """The call is answered with a problem document of this HTTP status; it may be made again after those seconds."""

    def __init__(self, status: HTTPStatus, detail: str, retry_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}


def answer(
    body: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """A JSON answer."""
    return _fresh(json.dumps(body), status, "application/json", headers or {})


def problem(
    status: HTTPStatus,
    detail: str,
    faults: Iterable[tuple[str, str]] = (),
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """A problem document. `faults` are pairs of a field's name, or "" for the whole, and a sentence."""
    document: dict[str, Any] = {"title": title or status.phrase, "status": status, "detail": detail}
    errors = [{"field": field, "detail": sentence} if field else {"detail": sentence} for field, sentence in faults]
    if errors:
        document["errors"] = errors
    return _fresh(json.dumps(document), status, "application/problem+json", headers or {})


def _fresh(body: str, status: HTTPStatus, mimetype: str, headers: Mapping[str, str]) -> func.HttpResponse:
    """An answer that holds for now only: also a 404 may else be kept (RFC 9111, 4.2.2)."""
    return func.HttpResponse(
        body, status_code=status, headers={"Cache-Control": "no-store", **headers}, mimetype=mimetype
    )


def answers_problems(
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """Turns what a handler refuses, and settings that cannot be used, into problem documents."""

    @functools.wraps(handler)
    async def answering(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return await handler(*args, **kwargs)
        except InvalidRequest as invalid:
            return problem(HTTPStatus.BAD_REQUEST, str(invalid), invalid.faults, title="The request is not valid")
        except Refused as refused:
            return problem(refused.status, refused.detail, headers=refused.headers)
        except SettingsError as error:
            faults = [(fault.split(" ", 1)[0], fault) for fault in error.faults]
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), faults, title="The app is not configured")
        except Exception:
            log.exception("The call failed.")
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The call failed; the app's log says why.")

    return answering
