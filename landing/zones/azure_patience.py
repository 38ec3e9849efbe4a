"""How is a call to the landing account tried again? Not for longer than it is worth, and once with a fresh token."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.storage.blob.aio import ExponentialRetry

ANSWER_SECONDS = 120.0
"""Seconds for one call, or for one piece of what is read: the client itself would ask a silent account four times, for
five minutes, and one that answers byte by byte for ever."""


class PatientRetry(ExponentialRetry):
    """The client's own tries, and waits between them, in all no longer than that, or than the call is given itself.

    A 401 is answered once with a fresh token, where `renew` has the identity forget the one that was refused: the
    client itself would ask the identity, whose cache still has it.
    """

    def __init__(self, renew: Callable[[], Awaitable[object]] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._renew = renew
        self._refused: str | None = None

    async def send(self, request: Any) -> Any:  # type: ignore[override]
        """The answer.

        Raises:
            AzureError: when there is none.
        """
        # The client takes from these what it has read.
        options = dict(request.context.options)
        async with answered_within(max(ANSWER_SECONDS, options.get("read_timeout", 0))):
            response = await self._sent(request)
            if self._renew is None or not _is_refused(response.http_response):
                return response
            await self._renew_once(request.http_request.headers.get("Authorization"), self._renew)
            request.context.options.update(options)
            return await self._sent(request)

    async def _sent(self, request: Any) -> Any:
        return await super().send(request)  # type: ignore[no-untyped-call]

    async def _renew_once(self, refused: str | None, renew: Callable[[], Awaitable[object]]) -> None:
        """Many requests may find at once that their token is refused."""
        if refused != self._refused:
            self._refused = refused
            await renew()


def _is_refused(response: Any) -> bool:
    """Whether the app's own token was, and not that of a blob that was to be pulled."""
    source = response.headers.get("x-ms-error-code") == "CannotVerifyCopySource"
    return bool(response.status_code == HTTPStatus.UNAUTHORIZED and not source)


@asynccontextmanager
async def answered_within(seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
    """Gives up what takes longer.

    Raises:
        ServiceResponseTimeoutError: then.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ServiceResponseTimeoutError(f"No answer within {seconds:.0f} seconds.") from None
