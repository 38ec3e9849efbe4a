"""Which URLs can be used? A reader returns the URL without trailing slash, or says in a ValueError what it must be."""

import re
from urllib.parse import SplitResult, unquote, urlsplit

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_CONTAINER_URL = "https://{account}.blob.core.windows.net/{container}[/prefix]"
_EMULATED_URL = "http://127.0.0.1:{port}/{account}/{container}[/prefix]"

_EXAMPLE = "https://host.example/path"

_CONTAINER_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
"""https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata"""

_OTHER_SERVICE = re.compile(
    r"(?P<account>[a-z0-9]+(\.z\d+)?)\.(?:dfs|file|queue|table|web)\.(?P<rest>(?:core|storage)\..+)"
)


def is_loopback(url: str) -> bool:
    """Whether the URL points to this very machine by a literal loopback name."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def graph_base_url(text: str) -> str:
    """The base URL of one version of Microsoft Graph's API."""
    url = _base_url(text)
    if not url.endswith(("/v1.0", "/beta")):
        raise ValueError("must end in /v1.0 or /beta, e.g. https://graph.microsoft.com/v1.0")
    return url


def partner_center_base_url(text: str) -> str:
    """The base URL of Partner Center's API, to which its version is appended."""
    url = _base_url(text)
    if "v1" in urlsplit(url).path.split("/"):
        raise ValueError("must end before /v1, e.g. https://api.partnercenter.microsoft.com")
    return url


def landing_url(text: str) -> str:
    """The URL of a container, of a prefix in it, or of a folder."""
    parts = _split(text)
    if parts.scheme == "file":
        return _folder_url(text, parts)
    better = _better_landing_url(text, parts)
    if better:
        raise ValueError(f"must be {better}")
    if parts.query:
        raise ValueError("must have no query: a SAS token or key belongs into LANDING_CONNECTION_STRING")
    url = _base_url(text)
    form = _EMULATED_URL if is_loopback(url) else _CONTAINER_URL
    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    if any(segment in {".", ".."} for segment in segments):
        raise ValueError("must not contain '.' or '..' segments")
    before = 1 if is_loopback(url) else 0
    if len(segments) <= before:
        raise ValueError(f"must name a container: {form}")
    if not _CONTAINER_NAME.fullmatch(segments[before]):
        raise ValueError(f"must name a container, of 3 to 63 lower-case letters, digits and single hyphens: {form}")
    return url


def webhook_url(text: str) -> str:
    """The URL, a secret, that notices are posted to; a trailing slash is part of it."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be of printable ASCII characters")
    _require_usable(_split(text), text)
    return text


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise ValueError(f"must be an absolute URL, e.g. {_EXAMPLE}") from None


def _base_url(text: str) -> str:
    parts = _split(text)
    if parts.query or parts.fragment:
        raise ValueError("must be an absolute URL without query")
    _require_usable(parts, text)
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or a password")
    return text.rstrip("/")


def _require_usable(parts: SplitResult, text: str) -> None:
    if not parts.scheme or not parts.hostname:
        raise ValueError(f"must be an absolute URL, e.g. {_EXAMPLE}")
    if not _has_usable_port(parts):
        raise ValueError("must have a port from 1 to 65535, or none")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(text)):
        raise ValueError("must be https (http on loopback only)")


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _folder_url(text: str, parts: SplitResult) -> str:
    if parts.netloc or not parts.path.startswith("/") or not parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be an absolute folder: file:///folder")
    return text.rstrip("/")


def _better_landing_url(text: str, parts: SplitResult) -> str | None:
    """What names the same place, where another tool's name for it was given."""
    if parts.scheme in {"abfs", "abfss", "wasb", "wasbs"} and parts.username and parts.hostname:
        return f"https://{_blob_host(parts.hostname)}/{parts.username}{parts.path}".rstrip("/")
    if parts.scheme == "https" and parts.hostname and _blob_host(parts.hostname) != parts.hostname:
        return f"https://{_blob_host(parts.hostname)}{parts.path}".rstrip("/")
    if not parts.netloc and text.startswith("/"):
        return f"file://{parts.path}, for a folder"
    if parts.scheme not in {"http", "https"}:
        return f"{_CONTAINER_URL}, or for a folder file:///folder"
    return None


def _blob_host(host: str) -> str:
    """The host of the account's blobs, from the host of any of its services."""
    other = _OTHER_SERVICE.fullmatch(host)
    return f"{other['account']}.blob.{other['rest']}" if other else host
