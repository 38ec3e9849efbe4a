"""How long does the app wait for the landing account? A call that gets no answer is given up, tries and all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.storage.blob.aio import ExponentialRetry

ANSWER_SECONDS = 120.0
"""Seconds for one call, or for one piece of what is read: the client itself would ask a silent account four times, for
five minutes, and one that answers byte by byte for ever."""


class PatientRetry(ExponentialRetry):
    """The client's own tries, and waits between them, in all no longer than that, or than the call is given itself."""

    async def send(self, request: Any) -> Any:  # type: ignore[override]
        """The answer.

        Raises:
            AzureError: when there is none.
        """
        given = request.context.options.get("read_timeout", 0)
        async with answered_within(max(ANSWER_SECONDS, given)):
            return await super().send(request)  # type: ignore[no-untyped-call]


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
