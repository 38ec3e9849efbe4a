"""How the JSON files that land are written, and read again."""

import json
from collections.abc import Mapping
from typing import Any

from landing.zones.protocol import Stored


def json_bytes(value: object) -> bytes:
    """The value as a person can read it, in UTF-8."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def json_object(stored: Stored | None) -> Mapping[str, Any]:
    """The object that the file holds; empty where there is no file, or none that can be read."""
    try:
        content = json.loads(stored.content) if stored else {}
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, Mapping) else {}
