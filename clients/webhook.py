"""Delivers events to the one address that is configured for them.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import stamina

from clients.redaction import hide
from failures import NoticeRefused, ReceiverUnavailable

TRIES = 4
"""Tries of one delivery before it is left to the orchestrator's timers."""

TRYING_SECONDS = 60.0
"""Seconds after which no further try begins."""

ANSWER_SECONDS = 60.0
"""Seconds in which one try is answered."""

_LATER = frozenset({408, 425, 429})


class Webhook:
    """One receiver. Its URL may contain a secret, and appears in no message."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = httpx.URL(url)
        # Many receivers have their key in the path, and httpx logs whole URLs.
        hide(str(self._url))
        self._http = http

    async def post(self, event: Mapping[str, Any]) -> None:
        """Delivers the event; short faults are tried again.

        Raises:
            NoticeRefused: when the receiver refuses it.
            ReceiverUnavailable: when no try was taken.
        """
        async for attempt in stamina.retry_context(
            on=ReceiverUnavailable, attempts=TRIES, timeout=TRYING_SECONDS, wait_max=5.0
        ):
            with attempt:
                await self._try(json.dumps(event))

    async def _try(self, content: str) -> None:
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        try:
            # Whatever else it answers with is of no interest.
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._http.stream("POST", self._url, content=content, headers=headers) as response,
            ):
                pass
        except (httpx.TransportError, TimeoutError) as fault:
            # The fault's own text may quote the URL.
            raise ReceiverUnavailable(f"It did not answer ({type(fault).__name__}).") from None
        if response.status_code in _LATER or response.is_server_error:
            raise ReceiverUnavailable(f"It answered {response.status_code}.")
        if not response.is_success:
            raise NoticeRefused(f"It answered {response.status_code}.")
