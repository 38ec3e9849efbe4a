"""Which hosts are on this machine, and through which proxy are the others reached?"""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def is_loopback(host: str | None) -> bool:
    """Whether the host is this machine: `localhost`, or an address in 127.0.0.0/8, or ::1."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """The URL of the proxy that the environment names for this URL (`HTTPS_PROXY`, `HTTP_PROXY`).

    None where the host is reached directly: `NO_PROXY` names it, or it is this machine, whatever the environment says.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if is_loopback(parts.hostname) or proxy_bypass(host):
        return None
    proxy = getproxies().get(parts.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
