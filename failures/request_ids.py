"""What do Microsoft's services call the id of a request? By it their support finds what they logged.

Source: https://learn.microsoft.com/graph/best-practices-concept, https://learn.microsoft.com/partner-center/developer/headers,
https://learn.microsoft.com/rest/api/storageservices/common-rest-api-headers
"""

from collections.abc import Callable

from failures.text import MOST_CODE_CHARACTERS, cleaned

HEADERS = ("request-id", "MS-RequestId", "MS-CorrelationId", "x-ms-request-id")
"""Graph's, Partner Center's, and Azure Storage's."""


def request_id_in(header: Callable[[str], object]) -> str | None:
    """The id in an answer whose headers `header` finds by their names, in any case; None where there is none."""
    ids = (cleaned(header(name), "", MOST_CODE_CHARACTERS) for name in HEADERS)
    return next(filter(None, ids), None)
