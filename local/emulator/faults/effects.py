"""What does a fault make of an answer?"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope

from local.emulator.faults.fault import Fault


class WholeAnswer:
    """An answer that is held back until it is complete, so that it can be changed."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = MutableHeaders()
        self.body = b""

    @classmethod
    async def of(cls, app: ASGIApp, scope: Scope, receive: Receive) -> "WholeAnswer":
        """What the app answers."""
        answer = cls()
        await app(scope, receive, answer._take)
        return answer

    async def _take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = MutableHeaders(raw=list(message["headers"]))
        else:
            self.body += message.get("body", b"")

    def suffer(self, fault: Fault) -> None:
        """Changes body and headers as the fault says."""
        if fault.merge is not None:
            self._set_body(json.dumps(merged(json.loads(self.body), fault.merge)).encode())
        if fault.flip is not None:
            self._set_body(_flipped(self.body, fault.flip))
        for name, text in (fault.headers or {}).items():
            self._set_header(name, text)

    def _set_body(self, body: bytes) -> None:
        self.body = body
        self.headers["Content-Length"] = str(len(body))

    def _set_header(self, name: str, text: str | None) -> None:
        if text is not None:
            self.headers[name] = _filled(text, self.headers.get(name, ""))
        elif name in self.headers:
            del self.headers[name]


def merged(target: Any, patch: Any) -> Any:
    """What a merge patch makes of a JSON value (RFC 7396), the patch's texts being filled in."""
    if not isinstance(patch, Mapping):
        return _filled(patch, target) if isinstance(patch, str) else patch
    members = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            members.pop(name, None)
        else:
            members[name] = merged(members.get(name), value)
    return members


def _filled(text: str, real: object) -> str:
    if "{path}" in text:
        text = text.replace("{path}", urlsplit(str(real)).path)
    return text.replace("{real}", str(real))


def _flipped(body: bytes, offset: int) -> bytes:
    return b"".join([body[:offset], bytes(byte ^ 0xFF for byte in body[offset : offset + 1]), body[offset + 1 :]])
