"""How is a line written as JSON?"""

import json
from collections.abc import Mapping
from decimal import Decimal

_TEXT = json.JSONEncoder(ensure_ascii=False)

LineItem = Mapping[str, str | Decimal]
"""The attributes of one line. Amounts and quantities are decimals, all else is text."""


def json_text(value: object) -> str:
    """JSON in which a decimal is a number with all its digits, without an exponent and without zeros at its end.

    `json` would write a float instead, and a float has no exact cents.
    """
    match value:
        case str():
            return _TEXT.encode(value)
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case Mapping():
            return f"{{{members(value)}}}"
        case list():
            return f"[{', '.join(map(json_text, value))}]"
        case _:
            return json.dumps(value)


def members(line: Mapping[str, object]) -> str:
    """The inside of a JSON object, so that more members can be added behind these."""
    return ", ".join([f'"{name}": {json_text(value)}' for name, value in line.items()])
