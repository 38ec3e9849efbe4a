"""Where may a request go? Tokens travel to configured origins only, and blobs are read from allowed hosts only."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from failures import ForeignOrigin, ForeignSource, UnusableAnswer
from failures.text import cleaned

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of the URL: what RFC 6454 calls its origin. One that cannot be read has no host."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None, None


def require_origin(url: str, expected: str) -> None:
    """Returns only if both URLs share their origin, and `url` carries no user name.

    Raises:
        UnusableAnswer: when `url` names no server at all.
        ForeignOrigin: otherwise.
    """
    if not origin(url)[1]:
        raise bad_url()
    if origin(url) != origin(expected) or "@" in urlsplit(url).netloc:
        raise ForeignOrigin(f"The answer points to {named(url)}, which is not {named(expected)}.")


@dataclass(frozen=True)
class SourceHosts:
    """The hosts that source blobs may be read from: https on hosts with one of the suffixes, each with its dot.

    `loopback` also allows http on this machine, for an emulator.
    """

    suffixes: tuple[str, ...]
    loopback: bool = False

    def require(self, url: str) -> None:
        """Returns only if blobs may be read from the URL.

        Raises:
            UnusableAnswer: when the URL names no server at all.
            ForeignSource: otherwise.
        """
        scheme, host, _ = origin(url)
        if not host:
            raise bad_url()
        if "@" in urlsplit(url).netloc or not self._allows(scheme, host):
            raise ForeignSource(f"The manifest's blobs are at {named(url)}, which is not allowed.")

    def _allows(self, scheme: str, host: str) -> bool:
        if self.loopback and host in _LOOPBACK:
            return scheme in _DEFAULT_PORTS
        return scheme == "https" and host.endswith(self.suffixes)


def bad_url() -> UnusableAnswer:
    """The failure of an answer whose link is none."""
    return UnusableAnswer("The answer contains something that is not a URL.", code="BadUrl")


def named(url: str) -> str:
    """The URL's origin as a person reads it, and nothing else of the URL."""
    scheme, host, port = origin(url)
    if not host:
        return "no host"
    named = f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")
    return cleaned(named, "no host")
