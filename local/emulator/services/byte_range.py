"""Which bytes of a blob are asked for?

Source: https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations
"""

import re
import sys
from collections.abc import Mapping

_FORM = re.compile(r"bytes=(\d+)-(\d*)")


def byte_range(headers: Mapping[str, str], length: int) -> range | None:
    """The offsets that `x-ms-range`, or else `Range`, asks for: empty where none is within the blob's `length`.

    None without such a header, or with one in another form: then the answer is the whole blob.
    """
    form = _FORM.fullmatch(headers.get("x-ms-range") or headers.get("Range") or "")
    if form is None:
        return None
    first, last = int(form[1]), int(form[2] or sys.maxsize)
    return range(first, min(last + 1, length)) if first <= last else None
