"""Which hosts are on this machine, and through which proxy are the others reached?"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def is_loopback(host: str | None) -> bool:
    """Whether the host is this machine: `localhost`, or an address in 127.0.0.0/8, or ::1."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def proxy_for(url: str) -> str | None:
    """The URL of the proxy that the environment names for this URL (`HTTPS_PROXY`, `HTTP_PROXY`, else `ALL_PROXY`).

    None where the host is reached directly: `NO_PROXY` names it, or it is this machine or on its link (managed
    identity's endpoints are), whatever the environment says.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if _is_near(parts.hostname) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def name_proxy(request: Any) -> None:
    """Has a request of one of Azure's clients go through the proxy for its URL."""
    url = request.http_request.url
    proxy = proxy_for(url)
    request.context.options["proxies"] = {urlsplit(url).scheme: proxy} if proxy else None


AZURE_CLIENT: Mapping[str, Any] = {"use_env_settings": False, "raw_request_hook": name_proxy}
"""Options of any of Azure's clients, with which its requests go where `proxy_for` says.

Source: https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.policies.customhookpolicy
"""


def _is_near(host: str | None) -> bool:
    """Whether the host is this machine, or has an address that no router passes on."""
    if is_loopback(host):
        return True
    address = _address(host)
    return address is not None and address.is_link_local


def _address(host: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
