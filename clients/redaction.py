"""No secret in any text that leaves memory: a second wall behind code that never puts one there."""

import logging
import re
from typing import Any

# Between name and value; also as queries, JSON and HTML escape it. A quote may follow.
_IS = r"""(?: \s* (?:=|%(?:25)*3D|\\(?:u00|x)3d|&(?:\#61|\#x3d|equals);|\\*["']\s*:) \s* \\*["']? )"""
# A signature's value ends where the next one of the query begins; a key, or a whole SAS, where its setting ends.
_SECRETS = re.compile(
    rf"""(?ix)
    (   (?:(?<![a-z])|(?<=3f)) sig(?:nature)? {_IS}
      | \bbearer\s+
    ) [^\s&"'<>,;)]+
    |
    (   (?:(?<![a-z])|(?<=3f)) (?:accountkey|sharedaccesskey|sharedaccesssignature) {_IS}
      | \bsharedkey(?:lite)? \s+ [^\s:]+ :
    ) [^\s"'<>,;)]+
    """
)

MOST_TOKENS = 32
"""Tokens that are hidden at a time: more than a process has that are still valid."""

SHORTEST_TOKEN = 8
"""Characters: a shorter one, made up for a test, would be found in words that hold no secret."""

_hidden: tuple[str, ...] = ()
_tokens: tuple[str, ...] = ()


def hide(text: str) -> None:
    """From now on `redacted` replaces this very text, too."""
    global _hidden
    if text not in _hidden:
        _hidden = (*_hidden, text)


def hide_token(token: str) -> None:
    """The same for a token, which is forgotten when many others have followed it."""
    global _tokens
    if len(token) >= SHORTEST_TOKEN and token not in _tokens:
        _tokens = (*_tokens, token)[-MOST_TOKENS:]


def redacted(text: str) -> str:
    """The text with the values of signatures, storage keys and bearer tokens replaced, and all that is hidden."""
    # Other threads may hide more meanwhile: these tuples are replaced, never changed.
    for hidden in (*_hidden, *_tokens):
        text = text.replace(hidden, "REDACTED")
    return _SECRETS.sub(lambda found: f"{found[1] or found[2]}REDACTED", text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A library's wrong log call is reported by logging, and must not become an exception of ours.
        return f"{record.msg} {record.args}"


_QUIET = {
    # A line a request.
    "azure": logging.WARNING,
    "httpx": logging.WARNING,
    # A line a quick retry, whose text is always the same.
    "stamina": logging.ERROR,
}


def quiet_libraries() -> None:
    """Keeps libraries from lines that say little, unless their level was set on purpose."""
    for library, level in _QUIET.items():
        logger = logging.getLogger(library)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)


def redact_logs() -> None:
    """Makes every log record of this process, of whichever library, pass through `redacted`."""
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "redacts", False):
        return

    def make_redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        record.msg, record.args = redacted(_message(record)), None
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return record

    make_redacted.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted)
