"""Source blobs, read by their SAS URL."""

import base64

import httpx
import pytest

from failures import LandingFailure, SourceChanged, SourceExpired, SourceFault, SourceMissing, SourceUnavailable
from landing.source import Source, SourceReader
from tests.landing.conftest import Run
from tests.landing.fake_source import FakeSource


def test_a_blob_is_described(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """Length, MD5 and eTag are learnt without reading the blob."""
    described = source.put("a b+c%.gz", b"content")
    assert run(sources.describe(source.url("a b+c%.gz"))) == described
    assert [request.method for request in source.requests] == ["HEAD"]


@pytest.mark.parametrize("md5", ["", "!", "c2hvcnQ="])
def test_an_md5_that_is_none(run: Run, sources: SourceReader, source: FakeSource, md5: str) -> None:
    """A blob without a usable MD5, as one that was written in blocks, is described without."""
    source.faults.append(httpx.Response(200, headers={"Content-Length": "7", "Content-MD5": md5}))
    assert run(sources.describe(source.url("x"))) == Source(source.url("x"), 7, None, None)


@pytest.mark.parametrize("length", ["", "-1", "1.5", "1_000", "²", "\uff19", "9" * 5000], ids=lambda length: length[:9])
def test_a_length_that_is_none(run: Run, sources: SourceReader, source: FakeSource, length: str) -> None:
    """What is no number of bytes is a fault of the source, whatever Python would take for digits."""
    source.faults.append(httpx.Response(200, headers=[(b"Content-Length", length.encode())]))
    with pytest.raises(SourceUnavailable, match="length"):
        run(sources.describe(source.url("x")))


def test_a_blob_without_length(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """An answer that tells no length describes nothing."""
    source.faults.append(httpx.Response(200))
    with pytest.raises(SourceUnavailable, match="length"):
        run(sources.describe(source.url("x")))


@pytest.mark.parametrize("status", [403, 404, 412, 503])
def test_a_refusal_is_told_with_its_request_id(
    run: Run, sources: SourceReader, source: FakeSource, status: int
) -> None:
    """By it Microsoft's support finds what its storage logged."""
    source.faults.append(httpx.Response(status, headers={"x-ms-request-id": "b1b4a0e6"}))
    with pytest.raises(LandingFailure) as caught:
        run(sources.describe(source.url("x")))
    assert caught.value.request_id == "b1b4a0e6"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.Response(401), SourceExpired),
        (httpx.Response(403), SourceExpired),
        (httpx.Response(404), SourceMissing),
        (httpx.Response(412), SourceChanged),
        (httpx.Response(302, headers={"Location": "https://example.com/"}), SourceUnavailable),
        (httpx.Response(429), SourceUnavailable),
        (httpx.Response(503), SourceUnavailable),
        (httpx.ConnectTimeout("?sig=s1gn"), SourceUnavailable),
        (httpx.RemoteProtocolError("?sig=s1gn"), SourceUnavailable),
    ],
)
def test_faults(
    run: Run, sources: SourceReader, source: FakeSource, fault: httpx.Response | Exception, kind: type[SourceFault]
) -> None:
    """Each fault of the source is told as what it is, when describing and when reading, without the URL."""
    described = source.put("x", b"content")
    for call in (sources.describe(described.url), sources.fetch(described)):
        source.faults.append(fault)
        with pytest.raises(kind) as caught:
            run(call)
        assert "sig=" not in repr(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert all(request.url.host == "127.0.0.1" for request in source.requests)


@pytest.mark.parametrize(("start", "length"), [(0, None), (0, 7), (2, None), (2, 3), (0, 1), (6, 1)])
def test_ranges(run: Run, sources: SourceReader, source: FakeSource, start: int, length: int | None) -> None:
    """Any part of a blob can be read."""
    described = source.put("x", b"content")
    end = 7 if length is None else start + length
    assert run(sources.fetch(described, start, length)) == b"content"[start:end]


async def read(sources: SourceReader, url: str) -> tuple[Source, bytes]:
    return await sources.read(url, lambda source, pieces: (source, b"".join(map(bytes, pieces))))


def test_a_blob_is_read_by_one_request(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """An answer that tells the MD5 of its bytes describes the blob as well."""
    described = source.put("x", b"content")
    assert run(read(sources, described.url)) == (described, b"content")
    assert [request.method for request in source.requests] == ["GET"]


def test_a_blob_without_md5_is_described_too(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """Where nothing vouches for the bytes, a second answer must agree with the first."""
    described = source.put("x", b"content", md5=None)
    assert run(read(sources, described.url)) == (described, b"content")
    assert [request.method for request in source.requests] == ["GET", "HEAD"]


def test_a_blob_that_arrives_without_length_is_described_too(
    run: Run, sources: SourceReader, source: FakeSource
) -> None:
    """A proxy may pass a body on without saying how long it is."""
    described = source.put("x", b"content")
    headers = {"Content-MD5": base64.b64encode(bytes.fromhex(str(described.md5))).decode()}
    source.faults.append(httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"content")))
    assert run(read(sources, described.url)) == (described, b"content")
    assert [request.method for request in source.requests] == ["GET", "HEAD"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, text="Please sign in."), SourceUnavailable),
        (httpx.Response(200, text="CONTENT", headers={"ETag": '"another"'}), SourceChanged),
        (httpx.Response(206, text="con", headers={"Content-MD5": "Sgy+qVW0RQgeo0c9KiJxGQ=="}), SourceUnavailable),
    ],
)
def test_an_answer_that_nothing_vouches_for(
    run: Run, sources: SourceReader, source: FakeSource, answer: httpx.Response, kind: type[SourceFault]
) -> None:
    """Another one's answer, or that of another state of the blob, is not taken for the blob."""
    described = source.put("x", b"content")
    source.faults.append(answer)
    with pytest.raises(kind):
        run(read(sources, described.url))


def test_bytes_are_the_blobs_own(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A gzip blob is read as it is stored, whatever its Content-Encoding says, and only if it still is the same."""
    described = source.put("x", b"gzip it is not")
    headers = {"Content-Encoding": "gzip", "ETag": str(described.e_tag)}
    source.faults.append(httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"gzip it is not")))
    assert run(sources.fetch(described)) == b"gzip it is not"
    (request,) = source.requests
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["If-Match"] == described.e_tag


def test_a_source_without_ranges(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A source that answers the whole blob to a range is not taken for the part."""
    described = source.put("x", b"content")
    source.serves_ranges = False
    with pytest.raises(SourceUnavailable, match="ranges"):
        run(sources.fetch(described, 2, 3))


def test_a_body_that_goes_on(run: Run, sources: SourceReader, source: FakeSource) -> None:
    """A body with more bytes than the blob has is not taken for the blob."""
    source.put("x", b"content and more")
    with pytest.raises(SourceUnavailable, match="16 of 7 bytes"):
        run(sources.fetch(Source(source.url("x"), 7)))


def test_repr_hides_the_url(source: FakeSource) -> None:
    """A source that ends up in a log gives no token away."""
    assert "sig=" not in repr(source.put("x", b""))
