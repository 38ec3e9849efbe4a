"""Opens the landing zone that a URL names. What only one kind needs is imported only for it: cold start."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from landing.hosts import AZURE_CLIENT, is_loopback
from landing.source import SourceReader
from landing.zones.protocol import LandingZone


def open_zone(
    url: str,
    connection_string: str | None,
    credential: Callable[[], Any],
    sources: SourceReader,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> LandingZone:
    """The landing zone at the URL: `https://{account}.blob.core.windows.net/{container}[/prefix]`, on loopback
    `http://127.0.0.1:{port}/{account}/{container}[/prefix]`, or `file:///folder`.

    The connection string lends only its key or SAS token, the URL says where; without one, `credential()` is asked.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        from landing.zones.local_folder import LocalFolder

        return LocalFolder(Path(unquote(parts.path)), sources)

    from azure.storage.blob.aio import ContainerClient

    from landing.zones.azure_container import READ_AT_ONCE, AzureContainer
    from landing.zones.azure_copying import STREAMED_BLOCK
    from landing.zones.azure_patience import PatientRetry

    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    account = [segments.pop(0)] if is_loopback(parts.hostname) else []
    account_url = "/".join([f"{parts.scheme}://{parts.netloc}", *account])
    container, *prefix = segments
    key: Any = _key(connection_string) if connection_string else credential()
    renew = None if connection_string else key.renew
    client = ContainerClient(
        account_url,
        container,
        credential=key,
        max_single_get_size=READ_AT_ONCE,
        max_chunk_get_size=READ_AT_ONCE,
        max_single_put_size=STREAMED_BLOCK,
        max_block_size=STREAMED_BLOCK,
        retry_policy=PatientRetry(renew),
        **AZURE_CLIENT,
    )
    return AzureContainer(client, "/".join(prefix), sources, now)


def _key(connection_string: str) -> Mapping[str, str] | str:
    from azure.core.utils import parse_connection_string

    values = parse_connection_string(connection_string)
    if "sharedaccesssignature" in values:
        return values["sharedaccesssignature"]
    return {"account_name": values["accountname"], "account_key": values["accountkey"]}
