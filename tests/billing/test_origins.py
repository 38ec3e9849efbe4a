"""Where may a request go?"""

import pytest

from billing.origins import SourceHosts, origin, require_origin
from failures import ForeignOrigin, ForeignSource, UnusableAnswer

GRAPH = "https://graph.microsoft.com/v1.0"
SUFFIXES = (".blob.core.windows.net", ".dfs.core.windows.net")


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com/beta/anything?x=1",
        "https://GRAPH.microsoft.com:443/",
        "HTTPS://graph.microsoft.com",
    ],
)
def test_own_origin(url: str) -> None:
    """Scheme, host and port make the origin; path, case and the default port do not matter."""
    require_origin(url, GRAPH)


FOREIGN = [
    "http://graph.microsoft.com/v1.0",
    "https://graph.microsoft.com:444/v1.0",
    "https://graph.microsoft.com.example.com/v1.0",
    "https://example.com/graph.microsoft.com",
    "https://graph.microsoft.com@example.com/v1.0",
    "https://user@graph.microsoft.com/v1.0",
    "https://graph.microsoft.com\\@example.com/",
    "//graph.microsoft.com/v1.0",
]

NO_URLS = [
    "https://graph.microsoft.com:port/v1.0",
    "https://graph.microsoft.com:99999/v1.0",
    "https://[graph.microsoft.com/v1.0",
    "https:///v1.0",
    "/v1.0/reports",
    "relative/path",
    "file:///etc/passwd",
    "mailto:support@microsoft.com",
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_foreign_origins(url: str) -> None:
    """Whatever looks like the origin but is not is refused."""
    with pytest.raises(ForeignOrigin) as caught:
        require_origin(url, GRAPH)
    assert "https://graph.microsoft.com" in caught.value.message


@pytest.mark.parametrize("url", NO_URLS)
def test_what_names_no_server_is_no_foreign_one(url: str) -> None:
    """Nobody has to be afraid of an attack, or to look for where Microsoft has moved."""
    for refuse in (lambda url: require_origin(url, GRAPH), SourceHosts(SUFFIXES, loopback=True).require):
        with pytest.raises(UnusableAnswer) as caught:
            refuse(url)
        assert caught.value.code == "BadUrl"


def test_refusals_show_no_secret() -> None:
    """The refused URL is named without its path and query, which may hold a token."""
    for refuse in (lambda url: require_origin(url, GRAPH), SourceHosts(SUFFIXES).require):
        with pytest.raises((ForeignOrigin, ForeignSource)) as caught:
            refuse("https://example.com:8443/x?sig=s3cret")
        assert "https://example.com:8443" in caught.value.message
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["\ud800.com", "\u202emoc", "a\x85b.com", "\x1b[31m.com", "x" * 100_000], ids=lambda h: ascii(h[:9])
)
def test_refusals_name_hosts_on_one_line(host: str) -> None:
    """The host is an answer's text like any other."""
    for refuse in (lambda url: require_origin(url, GRAPH), SourceHosts(SUFFIXES).require):
        with pytest.raises((ForeignOrigin, ForeignSource, UnusableAnswer)) as caught:
            refuse(f"https://{host}/x")
        assert caught.value.message.isprintable()
        assert len(caught.value.message) < 2000


@pytest.mark.parametrize("url", ["https://a.blob.core.windows.net/x", "https://A.DFS.core.windows.net:443/x"])
def test_allowed_sources(url: str) -> None:
    """Blobs are read over https from hosts below the allowed suffixes."""
    SourceHosts(SUFFIXES).require(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.blob.core.windows.net/x",
        "https://blob.core.windows.net/x",
        "https://ablob.core.windows.net/x",
        "https://a.blob.core.windows.net.example.com/x",
        "https://a.blob.core.windows.net@example.com/x",
        "https://user@a.blob.core.windows.net/x",
        "https://169.254.169.254/metadata",
        "https://127.0.0.1:10000/source/x",
        "http://localhost:10000/source/x",
    ],
)
def test_refused_sources(url: str) -> None:
    """A manifest cannot send us to another host, to this machine, or over plain http."""
    with pytest.raises(ForeignSource):
        SourceHosts(SUFFIXES).require(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:10000/source/x", "https://localhost/x", "http://[::1]:1/x"])
def test_loopback_sources(url: str) -> None:
    """Beside an emulated Graph, blobs may be read from this machine."""
    SourceHosts(SUFFIXES, loopback=True).require(url)


@pytest.mark.parametrize(
    "url", ["http://192.168.0.1/x", "file://localhost/etc/passwd", "http://a.blob.core.windows.net/x"]
)
def test_loopback_opens_nothing_else(url: str) -> None:
    """Allowing this machine allows no other over http."""
    with pytest.raises(ForeignSource):
        SourceHosts(SUFFIXES, loopback=True).require(url)


def test_unreadable_ports_are_nobodys_origin() -> None:
    """Two URLs without a usable port share no origin with one that has one."""
    assert origin("https://a:99999/") != origin("https://a/")
