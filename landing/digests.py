"""What tells one content from another?"""

import hashlib
from pathlib import Path


def md5_of(file: Path) -> str:
    """The MD5 (hex) of a file of this machine."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
