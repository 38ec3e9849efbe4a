"""What kinds of failure are there? What was foreseen, and for each what helps.

    Failure
    ├── IdentityFailure                between us and Entra
    │   ├── TokenUnavailable    later  a credential that is there gives no token now
    │   └── NoToken             final  there is no credential at all
    ├── BillingFailure                 between us and Microsoft's APIs
    │   ├── ServiceUnavailable  later  no usable answer (429, 5xx)
    │   │   └── NoAnswer               none at all: the network, or the name of the host
    │   ├── OperationGone       anew   404 or 410: Microsoft no longer knows this operation
    │   ├── OperationFailed     anew   Microsoft's export ended as failed
    │   │   └── NoData          final  because there is no data of this kind
    │   ├── DataChanged         anew   Microsoft renewed the data while it was exported
    │   └── RequestRefused      final  asking again changes nothing
    │       ├── NotServed              400, 404 and the like: the base URL does not serve what was asked for
    │       │   └── InvoicesNotServed  the same of Partner Center's list
    │       ├── Unauthorized           401, also after a fresh token was requested
    │       ├── Forbidden              403
    │       ├── NoInvoiceAccess        401 or 403 of Partner Center, which has separate permissions
    │       ├── ForeignOrigin          a URL points away from the configured origins
    │       ├── ForeignSource          the blobs are on a host that is not allowed
    │       └── UnusableAnswer         an answer that the documentation does not allow
    ├── LandingFailure                 between a source blob and the landing zone
    │   ├── LandingUnavailable  later  the landing zone does not answer, or is throttled
    │   ├── SourceFault         later  the source blob cannot be read; where waiting does not help, anew
    │   │   ├── SourceUnavailable      it does not answer, or was cut short
    │   │   ├── SourceExpired          401 or 403: the SAS token has run out
    │   │   ├── SourceMissing          404: the blob is not (or no longer) there
    │   │   └── SourceChanged          412: the blob is not the one that was described
    │   ├── LandingRefused      final  the landing zone does not take it
    │   ├── UnsafeName          final  a blob's name cannot become a path
    │   └── Incomplete          anew   what landed is not what the manifest names
    ├── TableFailure                   in what landed, so that no table can be made of it
    │   ├── NothingLanded       final  there is nothing to make a table of
    │   ├── SeveralPartners     final  the invoice has landed for more than one partner
    │   ├── InputsChanged       anew   what landed changed while the table was made
    │   ├── NoRoom              later  this machine's temporary folder is too small for the table
    │   ├── NoMemory            later  DuckDB needs more memory than it has
    │   ├── UnreadableLines     final  a blob is cut, damaged, or holds something other than lines of JSON objects
    │   ├── UnknownShape        final  an attribute that a table cannot do without is in no line
    │   ├── NoEngine            final  there is no DuckDB that can be loaded
    │   └── InexactEngine       final  this DuckDB does not read decimals exactly
    └── NoticeFailure                  between us and the receiver of notices
        ├── ReceiverUnavailable later  it did not take the notice now
        └── NoticeRefused       final  it refused the notice, and would again

The word is a field of the failure, `kind`, so that it can be set where it is raised, and no order of `except`
clauses decides. A library's exception never becomes the cause of one of these: its text may quote URLs, and
those of sources hold a secret.
"""

from typing import Literal

Kind = Literal["later", "anew", "final"]

LATER: Kind = "later"
"""The same call may succeed later."""

ANEW: Kind = "anew"
"""A new export may fix it."""

FINAL: Kind = "final"
"""Neither does; a person must act."""


class Failure(Exception):
    """Base of all foreseen failures.

    `code` is the class's name unless the service gave one; `request_id` is Microsoft's; `remedy` says in one sentence
    what to do. `wait`: the seconds that the service asked for, if it did. `at_last` is what a failure that may pass
    later becomes where waiting has not helped. `may_pass`: a refusal that looks the same where the right was only just
    given, or is away for a moment.
    """

    kind: Kind = FINAL
    at_last: Kind = FINAL
    may_pass: bool = False
    remedy = "Look at the app's log for the cause."

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        wait: float | None = None,
        kind: Kind | None = None,
        remedy: str | None = None,
        may_pass: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).__name__
        self.request_id = request_id
        self.wait = wait
        self.kind = kind or self.kind
        self.remedy = remedy or self.remedy
        self.may_pass = may_pass or self.may_pass

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class IdentityFailure(Failure):
    """Base of all failures to get a token, for Microsoft's APIs and for the landing zone alike."""

    remedy = (
        "Check the app's managed identity (AZURE_CLIENT_ID for a user-assigned one); on a laptop, sign in (az login)."
    )


class TokenUnavailable(IdentityFailure):
    """No token now: the identity's endpoint or Entra is away, or refuses. Only the deadline ends the waiting."""

    kind = LATER
    at_last = LATER


class NoToken(IdentityFailure):
    """There is no credential at all."""


class BillingFailure(Failure):
    """Base of all failures of Microsoft's APIs."""

    remedy = "Give the request id to Microsoft's support."


class ServiceUnavailable(BillingFailure):
    """No usable answer now."""

    kind = LATER
    remedy = "Start the export again later; check Microsoft's service health if this lasts."


class NoAnswer(ServiceUnavailable):
    """No answer at all: the network, or the name of the host."""

    remedy = (
        "Check that the app's network reaches the host that the message names, and that GRAPH_BASE_URL and "
        "PARTNER_CENTER_BASE_URL are right; then start the export again."
    )


class OperationGone(BillingFailure):
    """Microsoft no longer knows this operation (404, 410)."""

    kind = ANEW
    remedy = "Start the export again."


class OperationFailed(BillingFailure):
    """Microsoft's export ended as failed."""

    kind = ANEW
    remedy = "Start the export again later; if this lasts, give code and request id to Microsoft's support."


NO_DATA = "5000"
"""Microsoft's code for it."""


class NoData(OperationFailed):
    """Microsoft has nothing to export."""

    kind = FINAL
    remedy = "Check the invoice id, or currency and period: Microsoft has no data of this kind for it (yet)."


class DataChanged(BillingFailure):
    """Microsoft renewed the data between planning and copying, or before the commit."""

    kind = ANEW
    remedy = "Start the export again when Microsoft has finished renewing the data."

    def __init__(self) -> None:
        super().__init__("The data changed while it was exported, and kept changing in every attempt.")


class RequestRefused(BillingFailure):
    """The request was refused, and would be again."""

    remedy = "Check the invoice id, or the other fields; Microsoft's message says what it did not accept."


class NotServed(RequestRefused):
    """The API at the base URL does not serve what was asked for (400, 404, 405, 410)."""

    remedy = (
        "Check GRAPH_BASE_URL; if it is right, check the invoice id, or the other fields: Microsoft's message says "
        "what it did not accept."
    )


class InvoicesNotServed(NotServed):
    """The API at the base URL of Partner Center does not serve the list of invoices."""

    remedy = "Check PARTNER_CENTER_BASE_URL."


class Unauthorized(RequestRefused):
    """401: the token was not accepted, not even a fresh one."""

    may_pass = True
    remedy = (
        "Give the app's identity, or the app registration that GRAPH_CLIENT_ID names, the application role "
        "PartnerBilling.Read.All of Microsoft Graph, with admin consent; for an emulator, check GRAPH_STATIC_TOKEN."
    )


class Forbidden(RequestRefused):
    """403: the identity may not read this partner's billing data."""

    may_pass = True
    remedy = (
        "Give the app's identity, or the app registration that GRAPH_CLIENT_ID names, the application role "
        "PartnerBilling.Read.All in the partner tenant that the invoice belongs to, with admin consent."
    )


class NoInvoiceAccess(RequestRefused):
    """Partner Center does not let the identity read the partner's invoices."""

    may_pass = True
    remedy = (
        "Give the app's identity, or the app registration that GRAPH_CLIENT_ID names, app-only access to Partner "
        "Center's API in the partner tenant; exports of single invoices do not need it."
    )


class ForeignOrigin(RequestRefused):
    """A URL in an answer points away from the configured origins; nothing was sent there."""

    remedy = (
        "If Microsoft has moved its service, set GRAPH_BASE_URL to the new origin; otherwise treat it as an attack."
    )


class ForeignSource(RequestRefused):
    """The blobs are on a host that is not allowed; nothing was asked of it."""

    remedy = (
        "If Microsoft has moved its storage, add the host's suffix to SOURCE_HOST_SUFFIXES; "
        "otherwise treat it as an attack."
    )


class UnusableAnswer(RequestRefused):
    """An answer that Microsoft's documentation does not allow."""

    remedy = "Start the export again; if this lasts, give the message and the request id to Microsoft's support."


class LandingFailure(Failure):
    """Base of all failures of landing."""

    remedy = "Check the landing zone that LANDING_URL names."


class LandingUnavailable(LandingFailure):
    """The landing zone does not answer, or is throttled."""

    kind = LATER
    remedy = (
        "Check that the storage account that LANDING_URL names is there, and that the app's network reaches it; then "
        "start the export again: what landed is kept."
    )


class SourceFault(LandingFailure):
    """The source blob cannot be read now; a new export may name a better one."""

    kind = LATER
    at_last = ANEW


class SourceUnavailable(SourceFault):
    """The source does not answer, or its answer was cut short."""

    remedy = (
        "Start the export again later: what landed is kept; if this lasts, check that the app's network reaches "
        "Microsoft's storage, or tell Microsoft's support which blob."
    )


class SourceExpired(SourceFault):
    """The source refuses its SAS token: it has most likely run out."""

    remedy = (
        "Start the export again, which brings a new token: what landed is kept; if this lasts, tell Microsoft's "
        "support which blob."
    )


class SourceMissing(SourceFault):
    """The source blob is not there."""

    remedy = "Start the export again; if this lasts, tell Microsoft's support which blob of the manifest is missing."


class SourceChanged(SourceFault):
    """The source blob is not the one that was described a moment ago."""

    remedy = "Start the export again when Microsoft has finished renewing the data; what landed is kept."


class LandingRefused(LandingFailure):
    """The landing zone refuses it: no permission, no such account, no space."""

    remedy = (
        "Fix what the message names, in the landing zone or in LANDING_URL; then start the export again: what "
        "landed is kept."
    )


class UnsafeName(LandingFailure):
    """A blob's name cannot become a path in the landing zone."""

    remedy = "Tell Microsoft's support the name: the manifest of this invoice has a blob that cannot be stored safely."


class Incomplete(LandingFailure):
    """What landed is not what the manifest names."""

    kind = ANEW
    remedy = (
        "Remove from the version's folder what the message names, if it names something; then start the export again: "
        "it copies what is missing."
    )


class TableFailure(Failure):
    """Base of all failures of making a table. No message has the content of a line: lines hold customers' names."""


class NothingLanded(TableFailure):
    """Nothing of the invoice has landed."""

    remedy = "Export the invoice's billedUsage and billedReconciliation first."


class SeveralPartners(TableFailure):
    """One invoice has landed for several partners."""

    remedy = "Remove the folder of the partner that the invoice does not belong to, then start the table again."


class InputsChanged(TableFailure):
    """What landed was replaced while the table was made."""

    kind = ANEW
    remedy = "Start the table again when the exports of the invoice have ended."


class NoRoom(TableFailure):
    """The host's temporary folder has too little room."""

    kind = LATER
    remedy = (
        "Give the app's instances more memory: their temporary storage grows with it; on a machine of your own, make "
        "room in its temporary folder, or name another one (TMPDIR). Then start the table again."
    )


class NoMemory(TableFailure):
    """DuckDB needs more memory than it has."""

    kind = LATER
    remedy = (
        "Start the table again when less runs on the instance, or give the app's instances more memory; if the message "
        "names the same limit again, report it with the size of the invoice's largest blob."
    )


class UnreadableLines(TableFailure):
    """A blob is cut, damaged, or holds something other than lines of JSON objects."""

    remedy = (
        "Remove the blob that the message names, and export the invoice again; if the same line is wrong again, tell "
        "Microsoft's support blob and line."
    )


class UnknownShape(TableFailure):
    """An attribute that a table cannot do without is in no line."""

    remedy = "Compare the keys that the message names with Microsoft's documentation: an attribute may have a new name."


class NoEngine(TableFailure):
    """DuckDB is not installed, or cannot be loaded."""

    remedy = (
        "Install what requirements.txt names, for the Python and the system that the app runs on, and deploy again."
    )


class InexactEngine(TableFailure):
    """DuckDB reads decimals through binary fractions."""

    remedy = "Install the version of duckdb that requirements.txt names: 2.0.0 and older lose digits."


class NoticeFailure(Failure):
    """Base of all failures to announce the end of a run."""

    remedy = "Check NOTIFY_WEBHOOK_URL and its receiver."


class ReceiverUnavailable(NoticeFailure):
    """The receiver did not take the notice now."""

    kind = LATER


class NoticeRefused(NoticeFailure):
    """The receiver refused the notice, and would again."""
