"""May this process have enough files open? Each connection is one; where there are too few, nothing works, or ends."""

import contextlib
from types import ModuleType

LEAST = 64
"""Open files that are enough for any command with the default settings: an export with a table needs about half."""


class TooFewOpenFiles(Exception):
    """The system lets this process have too few."""


def require_open_files() -> None:
    """Raises the process's own limit where the system lets it, and returns only if that is enough.

    Raises:
        TooFewOpenFiles: if it is not.
    """
    resource = _resource()
    if resource is None:
        return
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= LEAST:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (LEAST, most))
        return
    raise TooFewOpenFiles(
        f"Only {limit} files may be open at once, and {LEAST} are needed: raise the limit (ulimit -n)."
    )


def _resource() -> ModuleType | None:
    try:
        import resource
    except ImportError:
        # Windows knows no such limit.
        return None
    return resource
