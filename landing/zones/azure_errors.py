"""What do Azure Storage's errors mean? Told by the service's codes: the library's classes mislead for copies."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from failures import LandingFailure, LandingRefused, LandingUnavailable, SourceUnavailable
from failures.request_ids import request_id_in
from failures.text import MOST_CODE_CHARACTERS, cleaned
from landing.source import source_error
from landing.zones.protocol import AlreadyThere
from landing.zones.remedies import AZURE, MAY_PASS, OTHER_SERVER

# Staged blocks are gone once another copy of the same blob was committed; a container's name is free again in a while.
_TEMPORARY = frozenset({"InvalidBlockList", "ContainerBeingDeleted"})
_OCCUPIED = frozenset({"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "UnauthorizedBlobOverwrite"})


@contextmanager
def storage_faults() -> Iterator[None]:
    """Turns the client library's errors, whose text may quote URLs, into ours."""
    try:
        yield
    except HttpResponseError as fault:
        if error_code(fault) in _OCCUPIED:
            raise AlreadyThere from None
        raise _landing_error(fault) from None
    except AzureError as fault:
        raise LandingUnavailable(f"The landing zone did not answer ({type(fault).__name__}).") from None
    except ValueError:
        # The client has read headers that are none of the service's.
        raise _other_server() from None


def _landing_error(fault: HttpResponseError) -> LandingFailure:
    code, status = error_code(fault), fault.status_code
    if status is None:
        return LandingUnavailable(f"The landing zone did not answer ({code}).")
    if status < 400:
        return _other_server()
    request_id = _request_id(fault)
    if code == "Md5Mismatch":
        message = "What arrived does not have the MD5 that was announced."
        return SourceUnavailable(message, request_id=request_id)
    if code in {"CannotVerifyCopySource", "SourceConditionNotMet"}:
        return source_error(_source_status(fault) or status, request_id)
    if status in {408, 429} or status >= 500 or code in _TEMPORARY:
        return LandingUnavailable(f"The landing zone answered {status} {code}.", request_id=request_id)
    message = f"The landing zone refused: {status} {code}."
    may_pass = code in MAY_PASS or status == 401
    return LandingRefused(message, remedy=AZURE.get(code), may_pass=may_pass, request_id=request_id)


def _other_server() -> LandingUnavailable:
    return LandingUnavailable("Something other than Azure Storage answers for the landing zone.", remedy=OTHER_SERVER)


def cannot_pull(fault: HttpResponseError) -> bool:
    """Whether a copy was refused as it is where the landing account's own network does not reach the source.

    A token that has run out, a blob that is gone and a missing role look the same: who reads the source tells.
    """
    status = fault.status_code or 0
    if error_code(fault) == "CannotVerifyCopySource":
        told = _source_status(fault) or status
        return told < 500 and told not in {408, 412, 429}
    return status in {401, 403} and error_code(fault) not in _OCCUPIED


def error_code(fault: HttpResponseError) -> str:
    """The service's code: the storage client adds it as an enum's member or as text, azure-identity adds none."""
    code = getattr(fault, "error_code", None)
    if not code:
        return f"HTTP{fault.status_code}" if fault.status_code else type(fault).__name__
    return cleaned(getattr(code, "value", code), type(fault).__name__, MOST_CODE_CHARACTERS)


def _request_id(fault: HttpResponseError) -> str | None:
    response: Any = fault.response
    return request_id_in(response.headers.get) if response else None


def _source_status(fault: HttpResponseError) -> int | None:
    """What the source answered to the service, which tells it in a header or in the error's body."""
    response: Any = fault.response
    told = getattr(fault, "additional_info", None) or {}
    text = str(response.headers.get("x-ms-copy-source-status-code") or told.get("copysourcestatuscode"))
    return int(text) if re.fullmatch("[1-9][0-9]{2}", text) else None
