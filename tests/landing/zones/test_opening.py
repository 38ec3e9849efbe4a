"""Which landing zone does a URL name?"""

import base64
from pathlib import Path
from typing import Any

import pytest

from landing.source import SourceReader
from landing.zones.local_folder import LocalFolder
from landing.zones.opening import open_zone
from tests.landing.conftest import Run
from tests.landing.scripted_server import answering

KEY = f"AccountName=acme;AccountKey={base64.b64encode(b'k3y').decode()};EndpointSuffix=core.windows.net"


def no_credential() -> Any:
    raise AssertionError("no identity is needed here")


def test_a_folder(run: Run, sources: SourceReader, tmp_path: Path) -> None:
    """A file URL opens the folder it names, spaces and all, and needs no identity."""
    folder = tmp_path / "with space%"
    zone = open_zone(folder.as_uri(), None, no_credential, sources)
    assert isinstance(zone, LocalFolder)
    assert zone.url == folder.as_uri()
    run(zone.prepare())
    assert folder.is_dir()


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.blob.core.windows.net/billing",
        "https://acme.blob.core.windows.net/billing/deep/prefix",
        "http://127.0.0.1:10000/acme/billing",
        "http://127.0.0.1:10000/acme/billing/prefix",
        "http://localhost:10000/acme/billing",
    ],
)
@pytest.mark.parametrize("connection_string", [KEY, "SharedAccessSignature=sv=2025&sig=s3cret"])
def test_a_container(run: Run, sources: SourceReader, url: str, connection_string: str) -> None:
    """The URL says where, the connection string lends its key or SAS token, which the zone's URL does not show."""
    zone = open_zone(url, connection_string, no_credential, sources)
    assert zone.url == url
    run(zone.close())


def test_an_identity_is_asked_for(run: Run, sources: SourceReader) -> None:
    """Without a connection string the app's own identity is used."""
    asked = []

    class Identity:
        async def get_token(self, *_: str, **__: Any) -> Any: ...

        async def renew(self) -> None: ...

        async def close(self) -> None: ...

    def credential() -> Any:
        asked.append(True)
        return Identity()

    run(open_zone("https://acme.blob.core.windows.net/billing", None, credential, sources).close())
    assert asked == [True]


def test_a_proxy_of_the_environment_is_used(run: Run, sources: SourceReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage is asked through the proxy that the environment names, with all that the URL says."""
    proxy = answering(status="202 Accepted")

    async def scenario() -> None:
        async with proxy.running():
            monkeypatch.setenv("http_proxy", proxy.url)
            zone = open_zone("http://acme.example/billing", KEY, no_credential, sources)
            await zone.remove("part.gz")
            await zone.close()

    run(scenario())
    assert proxy.requests == ["DELETE http://acme.example/billing/part.gz HTTP/1.1"]
