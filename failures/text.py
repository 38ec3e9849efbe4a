"""What others wrote, made fit to be stored, logged and shown: it enters here once."""

import re

MOST_CHARACTERS = 1000
"""Longest text that is kept of a message; a custom status takes no more than 16 KB."""

MOST_CODE_CHARACTERS = 100
"""Longest text that is kept of a code or an id."""

# Control characters and line separators would forge log lines, marks of direction what a reader sees; no encoding can
# write half of a surrogate pair.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def cleaned(value: object, otherwise: str, most: int = MOST_CHARACTERS) -> str:
    """The text on one line, cut after `most` characters; a whole number as text; `otherwise` for all else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return otherwise
    return _UNFIT.sub(" ", text[: 2 * most]).strip()[:most] or otherwise


def is_clean(text: str, most: int = MOST_CHARACTERS) -> bool:
    """Whether the text is one that `cleaned` would leave as it is."""
    return cleaned(text, "", most) == text
