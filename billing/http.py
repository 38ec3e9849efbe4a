"""Requests to one of Microsoft's APIs: authenticated, tried again for a short while, every refusal a typed error."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import stamina

from billing.origins import bad_url, named, require_origin
from billing.retry_after import retry_after
from failures import (
    BillingFailure,
    Forbidden,
    NoAnswer,
    NotServed,
    OperationGone,
    RequestRefused,
    ServiceUnavailable,
    Unauthorized,
    UnusableAnswer,
)
from failures.request_ids import request_id_in
from failures.text import MOST_CODE_CHARACTERS, cleaned

TRIES = 3
"""Requests sent for one call before it fails: what lasts longer is for the caller's timers."""

PATIENCE = 5.0
"""Seconds that a call waits between its tries at the most; a service that asks for more is left alone for now."""

ANSWER_SECONDS = 120.0
"""Seconds after which a call that got no answer is given up, whatever it waits for: tries, waits between, its token."""

_UNAVAILABLE = frozenset({408, 429})
REFUSALS: dict[int, type[BillingFailure]] = {
    401: Unauthorized,
    403: Forbidden,
    404: OperationGone,
    410: OperationGone,
}

NOT_SERVED: dict[int, type[BillingFailure]] = dict.fromkeys((400, 404, 405, 410), NotServed)
"""What these statuses say of a URL that the app itself has made from a base URL."""


class Api:
    """One API below a base URL, whose origin no request leaves.

    `http` sends the requests and authenticates them; `refusals` says which error a status stands for.
    """

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        refusals: Mapping[int, type[BillingFailure]] = REFUSALS,
    ) -> None:
        self.base_url = base_url
        self._refusals = refusals
        self._http = http
        self._now = now

    async def get_object(self, url: str) -> Mapping[str, Any]:
        """The JSON object at the URL.

        Raises:
            BillingFailure: as `send`; `UnusableAnswer` for anything but a JSON object.
        """
        return json_object(await self.send("GET", url))

    async def send(self, method: str, url: str, **content: Any) -> httpx.Response:
        """The answer, which is a success.

        Raises:
            ServiceUnavailable: when no try was answered.
            OperationGone: for 404 and 410.
            RequestRefused: when the request is not taken, the URL is none, or leaves the base URL's origin.
        """
        require_origin(url, self.base_url)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._send(method, url, **content)
        except TimeoutError:
            raise NoAnswer(f"{named(url)} did not answer within {ANSWER_SECONDS:.0f} seconds.") from None

    def wait_asked_for(self, response: httpx.Response) -> float | None:
        """The seconds that the answer asks us to wait before the next call, if it does."""
        return retry_after(response, self._now())

    async def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        async for attempt in stamina.retry_context(
            on=_wait_and_try_again, attempts=TRIES, timeout=None, wait_max=PATIENCE
        ):
            with attempt:
                return await self._try(method, url, **content)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _try(self, method: str, url: str, **content: Any) -> httpx.Response:
        id_ = str(uuid.uuid4())
        # As Graph and as Partner Center call it.
        headers = {"client-request-id": id_, "MS-CorrelationId": id_, "Accept": "application/json"}
        try:
            response = await self._http.request(method, url, headers=headers, **content)
        except httpx.InvalidURL:
            raise bad_url() from None
        except httpx.RequestError as fault:
            # The fault's own text may quote what was sent.
            raise NoAnswer(f"{named(url)} did not answer ({type(fault).__name__}).") from None
        if response.is_success:
            return response
        raise self._error(response)

    def _error(self, response: httpx.Response) -> BillingFailure:
        code, message, request_id = _described(response)
        if response.status_code in _UNAVAILABLE or response.is_server_error:
            wait = self.wait_asked_for(response)
            return ServiceUnavailable(message, code=code, request_id=request_id, wait=wait)
        return self._refusals.get(response.status_code, RequestRefused)(message, code=code, request_id=request_id)


def json_object(response: httpx.Response) -> Mapping[str, Any]:
    """The answer's body, which may begin with a byte order mark.

    Raises:
        UnusableAnswer: when it is no JSON object.
    """
    body = _json(response)
    if not isinstance(body, Mapping):
        raise unusable(response, "the answer must be a JSON object")
    return body


def unusable(response: httpx.Response, rule: str) -> UnusableAnswer:
    """The error of an answer that breaks a rule of the documentation."""
    message = f"The service answered {response.status_code}, but {rule}."
    return UnusableAnswer(message, request_id=request_id_of(response))


def request_id_of(response: httpx.Response) -> str | None:
    """Microsoft's id of the request, by which its support finds it."""
    return request_id_in(response.headers.get)


@contextmanager
def reading(response: httpx.Response) -> Iterator[None]:
    """Gives what is wrong with the answer the id of its request."""
    try:
        yield
    except RequestRefused as wrong:
        wrong.request_id = wrong.request_id or request_id_of(response)
        raise


def _wait_and_try_again(fault: Exception) -> bool | float:
    if not isinstance(fault, ServiceUnavailable):
        return False
    return fault.wait <= PATIENCE and fault.wait if fault.wait else True


def _described(response: httpx.Response) -> tuple[str, str, str | None]:
    """Code, message and request id of an error body, or the best there is.

    Graph's holds an `error`, and spells `innerError` in two ways; Partner Center's is the error, with a `description`.
    Source: https://learn.microsoft.com/graph/errors, https://learn.microsoft.com/partner-center/developer/error-codes
    """
    body = _object(_json(response))
    error = _object(body.get("error", body))
    inner = _object(error.get("innerError") or error.get("innererror"))
    code = cleaned(error.get("code"), f"HTTP{response.status_code}", MOST_CODE_CHARACTERS)
    told = error.get("message") or error.get("description")
    message = cleaned(told, f"The service answered {response.status_code} {_phrase(response)}.")
    return code, message, request_id_of(response) or request_id_in(inner.get)


def _phrase(response: httpx.Response) -> str:
    return cleaned(response.reason_phrase, "without a reason", MOST_CODE_CHARACTERS)


def _json(response: httpx.Response) -> object:
    try:
        return json.loads(response.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
