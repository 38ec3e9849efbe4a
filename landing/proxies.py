"""The proxies that the environment names, looked up once a host: left to itself, aiohttp asks two threads a request."""

import functools
from urllib.request import getproxies, proxy_bypass


@functools.cache
def environment_proxy(scheme: str, host: str | None) -> str | None:
    """The URL of the proxy for the host; None where it is reached directly."""
    proxy = None if host and proxy_bypass(host) else getproxies().get(scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
