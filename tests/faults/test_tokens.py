"""What can go wrong with the tokens of an Entra identity."""

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from billing.auth import EntraToken
from billing.client import BillingClient
from billing.manifests import Manifests
from billing.origins import SourceHosts
from clients.making import make_clients
from clients.process import Clients
from failures import IdentityFailure, NoToken, TokenUnavailable
from local.emulator import Answer, Fault
from local.emulator.faults.fault import RequestKind
from settings import Settings
from tests.faults.bench import TOKEN, WITHOUT_TLS, Bench

SCOPE = "https://graph.microsoft.com/.default"
CLAIMS = '{"access_token": {"nbf": {"essential": true}}}'
CHALLENGE = f'Bearer error="insufficient_claims", claims="{base64.urlsafe_b64encode(CLAIMS.encode()).decode()}"'


@dataclass
class Token:
    """What a credential of azure-identity gives."""

    token: str


@dataclass
class Identity:
    """A credential that gives `tokens` in turn, the last one for ever. `asked` is what it was asked with.

    An error among them is raised instead.
    """

    tokens: list[str | IdentityFailure]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def get_token(self, *scopes: str, **options: Any) -> Token:
        assert scopes == (SCOPE,)
        self.asked.append(options)
        given = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if isinstance(given, IdentityFailure):
            raise given
        return Token(given)

    async def renew(self) -> None: ...

    def clients(self, settings: Settings) -> Clients:
        """The activities' clients, with this identity for Microsoft Graph."""
        made = make_clients(settings)
        http = httpx.AsyncClient(auth=EntraToken(self, SCOPE, settings.graph_base_url), verify=WITHOUT_TLS)
        sources = SourceHosts(settings.source_host_suffixes, settings.graph_is_loopback)
        billing = BillingClient(settings.graph_base_url, http, sources)
        manifests = Manifests(billing.read_manifest, lambda: datetime.now(UTC))
        return replace(made, billing=billing, manifests=manifests, closing=(*made.closing, http.aclose))


def sign_in(bench: Bench, *tokens: str | IdentityFailure) -> Identity:
    """Has the app run under an identity that gets these tokens."""
    identity = Identity(list(tokens))
    bench.secrets |= {token for token in tokens if isinstance(token, str)}
    bench.make_clients = identity.clients
    return identity


@pytest.mark.parametrize("request_kind", ["export", "operation", "manifest"])
def test_one_401_costs_a_fresh_token(bench: Bench, request_kind: RequestKind) -> None:
    """A call that is refused once is made again at once, with a token asked for with the service's claims."""
    identity = sign_in(bench, TOKEN)
    challenge = Answer(status=401, headers={"WWW-Authenticate": CHALLENGE})
    bench.export(Fault(request=request_kind, occurrence=1, answer=challenge), linked_manifest=True)
    bench.require_success()
    assert identity.asked.count({"claims": CLAIMS}) == 1
    assert len(identity.asked) == sum("/billing/" in request.path for request in bench.emulator.requests)
    assert bench.posts == (2 if request_kind == "export" else 1)


def test_a_stale_token_is_replaced(bench: Bench) -> None:
    """A token that the service no longer takes is asked for anew, and the export proceeds."""
    identity = sign_in(bench, "a-stale-token-of-the-identity", TOKEN)
    bench.export()
    bench.require_success()
    assert identity.asked[:2] == [{}, {}]
    assert bench.posts == 2


def test_tokens_that_are_never_taken_end_the_export(bench: Bench) -> None:
    """An identity without the role fails the export at once, with the role's name."""
    identity = sign_in(bench, "a-token-without-the-role")
    bench.export(settings={"RETRY_SECONDS": "900"})
    bench.require_failure("InvalidAuthenticationToken", "PartnerBilling.Read.All")
    assert bench.status["error"]["requestId"]
    assert len(identity.asked) == 2


def test_an_identity_without_any_token_ends_the_export(bench: Bench) -> None:
    """Where Entra gives no token, nothing is sent, and the failure points to the identity."""
    sign_in(bench, NoToken("No credential of the chain had a token."))
    bench.export(settings={"RETRY_SECONDS": "900"})
    assert "No credential" in bench.require_failure("NoToken", "managed identity")
    assert bench.posts == 0


AWAY = TokenUnavailable("The endpoint is away.")


@pytest.mark.parametrize("given", [0, 1, 2, 3, 5])
def test_an_outage_of_tokens_is_waited_through(bench: Bench, given: int) -> None:
    """At the start, in the middle of polling, while the manifest is read or before the commit."""
    identity = sign_in(bench, *[TOKEN] * given, *[AWAY] * 8, TOKEN)
    bench.export(linked_manifest=True, running_polls=2)
    bench.require_success()
    assert identity.tokens == [TOKEN]
    assert bench.posts == 1


def test_an_outage_of_tokens_that_lasts_meets_the_deadline(bench: Bench) -> None:
    """Nothing but the deadline ends the waiting, and the reason is told."""
    sign_in(bench, AWAY)
    bench.export(settings={"EXPORT_DEADLINE_HOURS": "0.001"})
    assert "The endpoint is away." in bench.require_failure("DeadlineExceeded", "managed identity")


@pytest.mark.parametrize("request_kind", ["operation", "manifest"])
@pytest.mark.parametrize("status", [401, 403])
def test_what_was_allowed_is_not_taken_for_forbidden(bench: Bench, request_kind: RequestKind, status: int) -> None:
    """Whoever could start the export is refused for a moment; the export goes on."""
    bench.export(
        Fault(request=request_kind, occurrence=range(1, 6), answer=Answer(status=status)), linked_manifest=True
    )
    bench.require_success()
    assert bench.posts == 1
