"""Tokens that the landing account refuses before they run out: against a fake service that knows which are good."""

import asyncio
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from failures import LATER, LandingRefused
from tests.landing.zones.fake_service import FakeService, Fault, zone_on
from tests.landing.zones.test_azure_patience import CALLS, Call, Described

CHALLENGE = "Bearer authorization_uri=https://login.microsoftonline.com/t/oauth2/authorize resource_id=https://x"
EXPIRED = Fault(401, "InvalidAuthenticationInfo", {"WWW-Authenticate": CHALLENGE})


# The fake service has nothing that could be read.
DONE = {name: call for name, (_, call) in CALLS.items() if name != "read"}


class Identity:
    """One whose cache keeps a token until it is told to forget it."""

    def __init__(self) -> None:
        self.renewed = 0

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(f"token-{self.renewed}", 2**31)

    async def renew(self) -> None:
        self.renewed += 1

    async def close(self) -> None: ...

    async def __aenter__(self) -> "Identity":
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Particular(FakeService):
    """Refuses the tokens of the identity's first few caches, so many, in the middle of whatever is done."""

    def __init__(self, refuses: int) -> None:
        super().__init__()
        self._refused = [f"Bearer token-{number}" for number in range(refuses)]

    async def send(self, request: Any, **kwargs: Any) -> Any:
        if request.headers["Authorization"] in self._refused:
            return EXPIRED.answer(request)
        return await super().send(request, **kwargs)


def played(service: FakeService, identity: Identity, *calls: Call) -> list[Any]:
    """What these calls, all at once, return or raise."""

    async def play() -> list[Any]:
        described: Any = Described()
        zone = zone_on(service, described, identity)
        return await asyncio.gather(*(call(zone) for call in calls), return_exceptions=True)

    return asyncio.run(play())


@pytest.mark.parametrize("call", DONE.values(), ids=DONE)
def test_a_refused_token_costs_a_fresh_one(call: Call) -> None:
    """It was revoked, or has run out by another clock: the call succeeds, whatever it is."""
    identity, service = Identity(), Particular(1)
    (ended,) = played(service, identity, call)
    assert not isinstance(ended, Exception)
    assert identity.renewed == 1
    assert service.calls


def test_a_write_is_sent_again_whole() -> None:
    """What has been read from was the first request's."""
    service = Particular(1)
    played(service, Identity(), lambda zone: zone.write("a/file", b"content"))
    assert [call.body for call in service.of("put")] == [b"content"]


def test_many_who_find_their_token_refused_renew_it_once() -> None:
    """The identity's endpoint is not asked sixteen times for the same."""
    identity = Identity()
    ended = played(Particular(1), identity, *[lambda zone: zone.write("a/file", b"x")] * 16)
    assert not [one for one in ended if isinstance(one, Exception)]
    assert identity.renewed == 1


@pytest.mark.parametrize("call", [call for _, call in CALLS.values()], ids=CALLS)
def test_a_fresh_token_that_is_refused_is_doubted(call: Call) -> None:
    """One more is asked for, then the run's timers go on: the rights may be away for a moment."""
    identity = Identity()
    (ended,) = played(Particular(9), identity, call)
    assert isinstance(ended, LandingRefused)
    assert ended.kind == LATER
    assert identity.renewed == 1


def test_the_token_of_a_blob_is_not_the_app_s() -> None:
    """A source that refuses its SAS token says nothing of the identity."""
    identity, service = Identity(), FakeService()
    service.fail("copy", Fault(401, "CannotVerifyCopySource"))
    played(service, identity, lambda zone: zone.copy("https://source/x", "a/file", out_of_time=lambda: False))
    assert identity.renewed == 0
