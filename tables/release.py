"""Would the same lines make the same table as before?"""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from failures import NoEngine


@cache
def mapping_digest() -> str:
    """Stands (hex) for all that makes rows of lines: this room's code, lookups among it, and the engine's version.

    Raises:
        NoEngine: when none is installed.
    """
    digest = hashlib.sha256(_engine_version().encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _engine_version() -> str:
    try:
        return version("duckdb")
    except PackageNotFoundError:
        raise NoEngine("DuckDB is not installed.") from None
