"""No secret in any text that leaves memory."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest

from activities.problems import problem_of
from clients.redaction import MOST_TOKENS, hide_token, quiet_libraries, redact_logs, redacted
from failures import DataChanged, Failure, Forbidden, LandingRefused, ServiceUnavailable, SourceExpired

SIGNATURE = "Zm9v/YmFy+cXV4=="
ENCODED = quote(SIGNATURE, safe="")
URL = f"https://x.blob.core.windows.net/exports/part-0.json.gz?sv=2025-11-05&se=2026-10-08&sig={ENCODED}"
TOKEN = "eyJ0eXAi.abc-_123.x"


class _Lines(logging.Handler):
    """Formats records as any handler would."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[_Lines]:
    """Everything that is logged, at any level, while log records are redacted."""
    root, lines = logging.getLogger(), _Lines()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    redact_logs()
    yield lines
    root.removeHandler(lines)
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (URL, ENCODED),
        (URL.replace(ENCODED, SIGNATURE), SIGNATURE),
        (URL.replace("&sig=", "&SIG="), ENCODED),
        (f"https://x/?sig={ENCODED}&sv=1", ENCODED),
        (f"sig={SIGNATURE}", SIGNATURE),
        (f'{{"sasToken": "sv=1&sig={ENCODED}"}}', ENCODED),
        (f"https://proxy/?url={quote(URL, safe='')}", quote(ENCODED, safe="")),
        (f"https://proxy/?url={quote(f'https://x/?sig={ENCODED}', safe='')}", quote(ENCODED, safe="")),
        (f"<{URL}>", ENCODED),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"{{'authorization': 'bearer {TOKEN}'}}", TOKEN),
        (f"Bearer   {TOKEN}, and so on", TOKEN),
        (f"https://x/y?sv=1%2526sig%253D{quote(ENCODED)}", quote(ENCODED)),
        (f'{{"sig": "{SIGNATURE}"}}', SIGNATURE),
        (f"{{'Signature': '{SIGNATURE}'}}", SIGNATURE),
        (f"SIG={ENCODED}&se=2026", ENCODED),
        (URL.replace("&", "\\u0026"), ENCODED),
        (URL.replace("&", "\\u0026").replace("=", "\\u003d"), ENCODED),
        (URL.replace("&", "\\x26").replace("=", "\\x3D"), ENCODED),
        (f"https://x/\\u003fsig={ENCODED}", ENCODED),
        (URL.replace("&", "&#38;").replace("=", "&#61;"), ENCODED),
        (f'sv="1" sig="{SIGNATURE}"', SIGNATURE),
        (f"sig = '{SIGNATURE}'", SIGNATURE),
        (f"container_sig={ENCODED}", ENCODED),
        (json.dumps(json.dumps({"sig": SIGNATURE})), SIGNATURE),
        (json.dumps(json.dumps({"AccountKey": SIGNATURE})), SIGNATURE),
        (f"AccountName=x;AccountKey='{SIGNATURE}'", SIGNATURE),
        (f"AccountName=x;AccountKey={SIGNATURE};EndpointSuffix=core.windows.net", SIGNATURE),
        (f"accountkey = {SIGNATURE}", SIGNATURE),
        (f"Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey={SIGNATURE}", SIGNATURE),
        (f"BlobEndpoint=https://x/;SharedAccessSignature=sv=1&se=2026&sig={ENCODED}", ENCODED),
        (f"Authorization: SharedKey landing:{SIGNATURE}", SIGNATURE),
    ],
)
def test_signatures_and_tokens_are_replaced(text: str, secret: str) -> None:
    """However a SAS URL or a header is quoted, its secret does not remain."""
    assert secret in text
    assert secret not in redacted(text)
    assert "REDACTED" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The design= of signatures: sign=1, assign sigma",
        "a bearer of news",
        "https://graph.microsoft.com/v1.0/reports?size=3",
    ],
)
def test_a_text_without_secrets_says_what_it_said(text: str) -> None:
    """Only what follows a signature's or a token's mark is taken out."""
    assert redacted(text) in {text, text.replace("bearer of", "bearer REDACTED")}


def test_a_token_is_hidden_wherever_it_stands() -> None:
    """Not only behind `Bearer`: a library may quote it in any way."""
    token = "eyJhbGciOi.another.one"
    assert redacted(f"access_token: {token}") == f"access_token: {token}"
    hide_token(token)
    assert redacted(f"access_token: {token}!") == "access_token: REDACTED!"


def test_tokens_of_long_ago_are_forgotten() -> None:
    """A process that lives for months does not search each line for all of its tokens."""
    hide_token("the-oldest-token")
    for number in range(MOST_TOKENS):
        hide_token(f"a-newer-token-{number}")
    assert redacted("the-oldest-token a-newer-token-0") == "the-oldest-token REDACTED"


def test_more_may_be_hidden_while_a_text_is_redacted() -> None:
    """Activities get their tokens while other threads log."""
    with ThreadPoolExecutor(4) as threads:
        hiding = [threads.submit(hide_token, f"token-of-a-thread-{number}") for number in range(500)]
        texts = [threads.submit(redacted, URL) for _ in range(500)]
        assert not [text for text in texts if ENCODED in text.result()]
        assert not [hidden for hidden in hiding if hidden.exception()]


def test_what_surrounds_a_secret_remains() -> None:
    """A log line can still be understood."""
    line = f'HTTP Request: GET {URL}&sr=c "HTTP/1.1 200 OK"'
    assert redacted(line) == line.replace(ENCODED, "REDACTED")


def test_log_records_are_redacted_with_their_arguments(log: _Lines) -> None:
    """A secret in an argument of a message goes as one in its text does."""
    logging.getLogger("any.library").warning("reading %s with %s", URL, f"Bearer {TOKEN}")
    (line,) = log.lines
    assert line == f"reading {URL.replace(ENCODED, 'REDACTED')} with Bearer REDACTED"


def test_tracebacks_are_redacted(log: _Lines) -> None:
    """The text of an exception, and of what caused it, is part of what is redacted."""
    try:
        try:
            raise ValueError(URL)
        except ValueError as fault:
            raise RuntimeError(f"Bearer {TOKEN}") from fault
    except RuntimeError:
        logging.getLogger("any.library").exception("failed")
    (line,) = log.lines
    assert "RuntimeError" in line
    assert "ValueError" in line
    assert ENCODED not in line
    assert TOKEN not in line


def test_messages_with_percent_signs_are_logged_as_they_are(log: _Lines) -> None:
    """A redacted message is not formatted a second time."""
    logging.getLogger("any.library").info("%s", "100 %s of %d")
    assert log.lines == ["100 %s of %d"]


def test_a_wrong_log_call_of_some_library_stays_harmless(log: _Lines) -> None:
    """Logging never raises where the library's own mistake would only have been printed, and leaks nothing."""
    for message, arguments in [("%d blobs at %s", ("many", URL)), ("too many", (URL,)), ("%(name)s", ({"url": URL},))]:
        logging.getLogger("any.library").info(message, *arguments)
    assert len(log.lines) == 3
    assert not [line for line in log.lines if ENCODED in line]


def test_a_message_that_is_no_text_is_logged(log: _Lines) -> None:
    """Libraries may log an exception itself."""
    logging.getLogger("any.library").error(ValueError(URL))
    assert log.lines == [URL.replace(ENCODED, "REDACTED")]


def test_httpx_logs_whole_urls_and_no_signature(log: _Lines) -> None:
    """Httpx prints the URL of each request at INFO, and more below: no secret gets through at any level."""

    async def scenario() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200))
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get(URL, headers={"Authorization": f"Bearer {TOKEN}"})

    library = logging.getLogger("httpx")
    level = library.level
    library.setLevel(logging.DEBUG)
    try:
        asyncio.run(scenario())
    finally:
        library.setLevel(level)
    requests = [line for line in log.lines if "HTTP Request" in line]
    assert requests
    assert "part-0.json.gz" in requests[0]
    assert not [line for line in log.lines if ENCODED in line or SIGNATURE in line or TOKEN in line]


def test_redacting_twice_is_redacting_once(log: _Lines) -> None:
    """Every set of clients asks for it; records pass through it once."""
    factory = logging.getLogRecordFactory()
    redact_logs()
    assert logging.getLogRecordFactory() is factory


def test_an_error_log_without_an_exception_works(log: _Lines) -> None:
    """`exc_info` outside an exception is nothing to stumble over."""
    logging.getLogger("any.library").error("odd", exc_info=sys.exc_info())
    assert log.lines == ["odd\nNoneType: None"]


@pytest.mark.parametrize(
    ("error", "code", "request_id"),
    [
        (
            Forbidden("No.", code="Authorization_RequestDenied", request_id="1f0c"),
            "Authorization_RequestDenied",
            "1f0c",
        ),
        (ServiceUnavailable("Later.", code="HTTP503", wait=3), "HTTP503", None),
        (SourceExpired("The source refused the SAS token (403)."), "SourceExpired", None),
        (LandingRefused("No space."), "LandingRefused", None),
        (DataChanged(), "DataChanged", None),
    ],
)
def test_every_error_becomes_a_problem_that_a_person_can_act_on(
    error: Failure, code: str, request_id: str | None
) -> None:
    """Code, message, Microsoft's request id and a remedy come from the error itself."""
    problem = problem_of(error)
    assert (problem.code, problem.request_id) == (code, request_id)
    assert problem.message == error.message
    assert problem.remedy.endswith(".")


def test_libraries_that_log_each_request_are_quiet_unless_asked() -> None:
    """On Azure a line a request would cost money and say little; a level that was set on purpose stays."""
    loggers = [logging.getLogger(name) for name in ("httpx", "stamina", "azure")]
    levels = [logger.level for logger in loggers]
    try:
        for logger, level in zip(loggers, (logging.NOTSET, logging.NOTSET, logging.DEBUG), strict=True):
            logger.setLevel(level)
        quiet_libraries()
        assert [logger.level for logger in loggers] == [logging.WARNING, logging.ERROR, logging.DEBUG]
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
