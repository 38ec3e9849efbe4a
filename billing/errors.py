"""What can go wrong between us and the partner billing API.

    BillingError
    ├── ServiceUnavailable     no usable answer now (network, 429, 5xx); the same call may succeed later
    ├── OperationGone          404 or 410: Microsoft no longer knows this operation
    └── RequestRefused         final: asking again changes nothing
        ├── Unauthorized       401, also after a fresh token was requested
        │   └── NoToken        the identity gets no token at all
        ├── Forbidden          403
        ├── NoInvoiceAccess    401 or 403 of Partner Center, whose list of invoices has separate permissions
        ├── ForeignOrigin      a URL points away from the configured origins
        └── UnusableAnswer     an answer that the documentation does not allow

Each carries what a person needs: `code`, `message`, Microsoft's `request_id`, and `remedy`, one sentence on what to do.
"""


class BillingError(Exception):
    """Base of all errors of the partner billing API."""

    remedy = "Give the request id to Microsoft's support."

    def __init__(self, code: str, message: str, *, request_id: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id


class ServiceUnavailable(BillingError):
    """No usable answer now. `retry_after` holds the seconds that the service asked for, if it did."""

    remedy = "Start the export again later; look at Microsoft's service health if this lasts."

    def __init__(
        self, code: str, message: str, *, request_id: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(code, message, request_id=request_id)
        self.retry_after = retry_after


class OperationGone(BillingError):
    """Microsoft no longer knows this operation (404, 410)."""

    remedy = "Start the export again."


class RequestRefused(BillingError):
    """The request was refused, and would be again."""

    remedy = "Check the invoice id, or what else was asked for; Microsoft's message says what it did not accept."


class Unauthorized(RequestRefused):
    """401: the token was not accepted, also after a fresh one was requested."""

    remedy = (
        "Give the app's identity the application role PartnerBilling.Read.All of Microsoft Graph, with admin consent."
    )


class NoToken(Unauthorized):
    """Entra gives the app's identity no token."""

    remedy = "Check the app's managed identity (AZURE_CLIENT_ID for a user-assigned one); on a laptop, sign in."


class Forbidden(RequestRefused):
    """403: the identity may not read this partner's billing data."""

    remedy = (
        "Give the app's identity the application role PartnerBilling.Read.All in the partner tenant that the invoice "
        "belongs to, with admin consent."
    )


class NoInvoiceAccess(RequestRefused):
    """Partner Center does not let the identity read the partner's invoices."""

    remedy = (
        "Give the app's identity app-only access to Partner Center's API in the partner tenant; exports of single "
        "invoices do without."
    )


class ForeignOrigin(RequestRefused):
    """A URL in an answer points away from the configured origins; nothing was sent there."""

    remedy = (
        "If Microsoft has moved its service, set GRAPH_BASE_URL or SOURCE_HOST_SUFFIXES to the new origin; "
        "otherwise treat it as an attack."
    )


class UnusableAnswer(RequestRefused):
    """An answer that Microsoft's documentation does not allow."""

    remedy = "Start the export again; if this lasts, give the request id to Microsoft's support."
