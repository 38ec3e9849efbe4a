"""Which hosts are reached directly, and which through a proxy?"""

import pytest

from landing.hosts import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    monkeypatch.setenv("no_proxy", ".acme.example")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.8.9.10",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "169.254.130.2",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_and_its_link_are_reached_directly(scheme: str, host: str) -> None:
    """No proxy could reach them, and what is sent to them, such as a managed identity's requests, is its business."""
    assert proxy_for(f"{scheme}://{host}") is None
    assert proxy_for(f"{scheme}://{host}:8081/msi/token") is None


@pytest.mark.parametrize(
    "host",
    ["graph.microsoft.com", "10.0.0.4", "192.168.1.1", "[2001:db8::1]", "localhost.org", "127.0.0.1.org"],
)
def test_all_else_goes_through_the_proxy(host: str) -> None:
    """A private network too, unless NO_PROXY says otherwise."""
    assert proxy_for(f"https://{host}/x") == PROXY


def test_no_proxy_is_heeded() -> None:
    """What it names is reached directly."""
    assert proxy_for("https://billing.acme.example/x") is None


def test_one_proxy_may_stand_for_all_schemes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALL_PROXY` counts where the scheme has none of its own."""
    monkeypatch.setenv("all_proxy", "all.example:3128")
    assert proxy_for("https://graph.microsoft.com") == PROXY
    monkeypatch.delenv("https_proxy")
    assert proxy_for("https://graph.microsoft.com") == "http://all.example:3128"
    assert proxy_for("http://169.254.169.254") is None
