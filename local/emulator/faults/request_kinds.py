"""Which of the requests that a fault can be about is this one?"""

import re

from local.emulator.faults.fault import RequestKind

_GRAPH = r"/(v1\.0|beta)/reports/partners/billing"
_KINDS: dict[RequestKind, tuple[str, re.Pattern[str]]] = {
    "export": ("POST", re.compile(rf"{_GRAPH}/.+/export")),
    "operation": ("GET", re.compile(rf"{_GRAPH}/operations/.+")),
    "manifest": ("GET", re.compile(rf"{_GRAPH}/manifests/.+")),
    "invoices": ("GET", re.compile(r"/v1/invoices")),
    "blob": ("GET", re.compile(r"/exports/.+", re.DOTALL)),
    "blob-head": ("HEAD", re.compile(r"/exports/.+", re.DOTALL)),
}


def request_kind(method: str, path: str) -> RequestKind | None:
    """The kind of a request with this decoded path; None for those that no fault can be about."""
    return next((kind for kind, (verb, form) in _KINDS.items() if verb == method and form.fullmatch(path)), None)
