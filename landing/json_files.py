"""How the JSON files that land are written."""

import json


def json_bytes(value: object) -> bytes:
    """The value as a person can read it, in UTF-8."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
