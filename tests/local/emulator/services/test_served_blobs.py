"""Azure Storage's part: blobs behind a SAS token."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.local.emulator.conftest import Call, Caller

CONTENT = b"0123456789"


@pytest.fixture
def caller(call: Call) -> Caller:
    """A caller of an emulator with one blob of ten bytes."""
    caller = call(sas_seconds=60)
    caller.emulator.use_data("G016907411", {"blob": CONTENT, "none": b""}, e_tag="tag")
    return caller


@pytest.fixture
def manifest(caller: Caller) -> Any:
    """The manifest that names that blob."""
    return caller.manifest()


def test_a_blob_is_read_by_its_sas_token_alone(caller: Caller, manifest: Any) -> None:
    """Without any Authorization header the blob is there, with the headers Azure Storage gives."""
    response = caller.blob(manifest, "blob")
    assert response.status_code == 200
    assert response.content == CONTENT
    assert response.headers["Content-MD5"] == base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
    assert response.headers["Content-Length"] == "10"
    assert response.headers["Last-Modified"] == "Fri, 09 Oct 2026 06:12:53 GMT"
    assert response.headers["x-ms-blob-type"] == "BlockBlob"


def test_head_has_the_headers_of_get(caller: Caller, manifest: Any) -> None:
    """HEAD tells length, MD5 and ETag, and sends no content."""
    get, head = (caller.blob(manifest, "blob", method) for method in ("GET", "HEAD"))
    assert head.content == b""
    assert head.headers.pop("x-ms-request-id") != get.headers.pop("x-ms-request-id")
    assert head.headers == get.headers


@pytest.mark.parametrize("name", ["sub/folder/part.gz", "with space", "50%25", "a?b#c", "ü+&=;,$@!'()*"])
def test_any_name_can_be_read(caller: Caller, name: str) -> None:
    """Names may hold sub-folders and characters that a URL percent-encodes."""
    caller.emulator.use_data("G016907411", {name: CONTENT}, e_tag="tag")
    assert caller.blob(caller.manifest(), name).content == CONTENT


@pytest.mark.parametrize("header", ["Range", "x-ms-range"])
@pytest.mark.parametrize(
    ("asked", "content", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=8-", b"89", "bytes 8-9/10"),
        ("bytes=9-99", b"9", "bytes 9-9/10"),
    ],
)
def test_a_range_of_a_blob_can_be_read(
    caller: Caller, manifest: Any, header: str, asked: str, content: bytes, content_range: str
) -> None:
    """Either range header gives the part of the blob that it asks for."""
    response = caller.blob(manifest, "blob", **{header: asked})
    assert response.status_code == 206
    assert response.content == content
    assert response.headers["Content-Range"] == content_range
    assert "Content-MD5" not in response.headers


@pytest.mark.parametrize("asked", ["bytes=-3", "bytes=5-2", "lines=1-2"])
def test_a_range_of_another_form_is_ignored(caller: Caller, manifest: Any, asked: str) -> None:
    """What is no range to Azure Storage gives the whole blob."""
    response = caller.blob(manifest, "blob", Range=asked)
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize(("name", "asked"), [("blob", "bytes=10-"), ("blob", "bytes=11-12"), ("none", "bytes=0-")])
def test_a_range_beyond_the_end_is_refused(caller: Caller, manifest: Any, name: str, asked: str) -> None:
    """A range that holds no byte of the blob is a 416 that tells the blob's length."""
    response = caller.blob(manifest, name, Range=asked)
    assert (response.status_code, response.headers["x-ms-error-code"]) == (416, "InvalidRange")
    assert response.headers["Content-Range"] == f"bytes */{10 if name == 'blob' else 0}"


def test_a_read_may_depend_on_the_etag(caller: Caller, manifest: Any) -> None:
    """If-Match lets the read pass for the blob's own ETag, and fail with 412 for another."""
    e_tag = caller.blob(manifest, "blob").headers["ETag"]
    assert caller.blob(manifest, "blob", **{"If-Match": e_tag}).status_code == 200
    changed = caller.blob(manifest, "blob", **{"If-Match": '"0xOTHER"'})
    assert (changed.status_code, changed.headers["x-ms-error-code"]) == (412, "ConditionNotMet")


def test_a_token_expires(caller: Caller, manifest: Any) -> None:
    """When the token's life is over it no longer reads, and the answer is Azure Storage's."""
    caller.clock.move(59)
    assert caller.blob(manifest, "blob").status_code == 200
    caller.clock.move(2)
    assert_refused(caller.blob(manifest, "blob"))


@pytest.mark.parametrize(
    ("genuine", "forged"), [("se=2026", "se=2027"), ("sig=", "sig=A"), ("sig=", "other="), ("se=", "other=")]
)
def test_a_forged_token_reads_nothing(caller: Caller, manifest: Any, genuine: str, forged: str) -> None:
    """A token that the emulator did not sign as it stands is refused."""
    manifest["sasToken"] = manifest["sasToken"].replace(genuine, forged)
    assert_refused(caller.blob(manifest, "blob"))
    assert caller.blob(manifest, "blob", "HEAD").headers["x-ms-error-code"] == "AuthenticationFailed"


def test_a_token_reads_one_folder(caller: Caller, manifest: Any) -> None:
    """The token of one export does not read another's blobs."""
    caller.emulator.use_data("G016907411", {"blob": b"other"}, e_tag="other")
    other = caller.manifest()
    assert_refused(caller.blob({**other, "sasToken": manifest["sasToken"]}, "blob"))


def test_an_unknown_blob_is_a_404(caller: Caller, manifest: Any) -> None:
    """Whoever may read the folder learns that a blob is not there."""
    response = caller.blob(manifest, "unknown")
    assert (response.status_code, response.headers["x-ms-error-code"]) == (404, "BlobNotFound")


def assert_refused(response: Any) -> None:
    """A 403 in Azure Storage's XML."""
    assert (response.status_code, response.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    assert "<Code>AuthenticationFailed</Code>" in response.text
