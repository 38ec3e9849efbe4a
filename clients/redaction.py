"""No secret in any text that leaves memory: a second wall behind code that never puts one there."""

import logging
import re
from typing import Any

_SECRETS = re.compile(r"(?i)((?:\b|%26|%3F)sig(?:=|%3D)|\bbearer\s+)[^\s&\"'<>,;)]+")


_hidden: set[str] = set()


def hide(text: str) -> None:
    """From now on `redacted` replaces this very text, too."""
    _hidden.add(text)


def redacted(text: str) -> str:
    """The text with the values of SAS signatures and bearer tokens replaced, and all that is hidden."""
    for hidden in _hidden:
        text = text.replace(hidden, "REDACTED")
    return _SECRETS.sub(r"\1REDACTED", text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A library's wrong log call is reported by logging, and must not become an exception of ours.
        return f"{record.msg} {record.args}"


def quiet_libraries() -> None:
    """Keeps libraries that log each request at INFO to warnings, unless somebody has set their level on purpose."""
    for library in ("azure", "httpx"):
        logger = logging.getLogger(library)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


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
