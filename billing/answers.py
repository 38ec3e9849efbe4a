"""What the partner billing API answers: plain data, every documented form accepted.

Source: https://learn.microsoft.com/graph/api/resources/partners-billing-api-overview
"""

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from billing.origins import bad_url
from failures import UnusableAnswer
from failures.text import MOST_CHARACTERS, MOST_CODE_CHARACTERS, cleaned, is_clean

TENANT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

MOST_URL_CHARACTERS = 4000
"""Longest URL, or part of a blob's, that is taken."""


def require_link(value: object) -> str:
    """The text, if it may become the URL of a request, and be stored until then.

    Raises:
        UnusableAnswer: if it may not.
    """
    if not (isinstance(value, str) and is_clean(value, MOST_URL_CHARACTERS)) or not value or re.search(r"\s", value):
        raise bad_url()
    return value


@dataclass(frozen=True)
class Blob:
    """One blob of a manifest."""

    name: str


@dataclass(frozen=True)
class Manifest:
    """The blobs of one finished export, sorted by name, and the secret that reads them.

    `url` is where it can be read again for a fresh SAS token. `repr` leaves the token out.
    Source: https://learn.microsoft.com/graph/api/resources/partners-billing-manifest
    """

    url: str
    e_tag: str
    tenant_id: str | None
    created: str | None
    root: str
    blobs: tuple[Blob, ...]
    sas_token: str = field(repr=False)

    @classmethod
    def from_json(cls, body: Mapping[str, Any], url: str) -> Self:
        """The manifest that Graph's JSON describes.

        Raises:
            UnusableAnswer: when it lacks what cannot be done without, or contradicts itself.
        """
        blobs = tuple(sorted((_blob(item) for item in _list(body, "blobs")), key=lambda blob: blob.name))
        count = body.get("blobCount", len(blobs))
        if count != len(blobs):
            raise _bad_manifest(f"it says blobCount {count!r} and names {len(blobs)} blobs")
        if len({blob.name for blob in blobs}) != len(blobs):
            raise _bad_manifest("it names a blob twice")
        root = _part_of_url(body, "rootDirectory").rstrip("/")
        if "?" in root or "#" in root:
            raise _bad_manifest("its rootDirectory has a query")
        tenant_id = body.get("partnerTenantId") or None
        if tenant_id is not None and not (isinstance(tenant_id, str) and TENANT_ID.fullmatch(tenant_id)):
            raise _bad_manifest("its partnerTenantId is not a GUID")
        return cls(
            url=url,
            e_tag=_text(body, "eTag"),
            tenant_id=tenant_id.lower() if tenant_id else None,
            created=cleaned(body.get("createdDateTime"), "", MOST_CODE_CHARACTERS) or None,
            root=root,
            blobs=blobs,
            sas_token=_part_of_url(body, "sasToken").removeprefix("?"),
        )

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the eTag and the sorted names: the same for the same data, in whichever process."""
        identity = json.dumps([self.e_tag, [blob.name for blob in self.blobs]], ensure_ascii=True)
        return hashlib.sha256(identity.encode()).hexdigest()

    def blob_url(self, blob: Blob) -> str:
        """The blob's URL with its SAS token: a secret."""
        return f"{self.root}/{quote(blob.name, safe='/')}?{self.sas_token}"


@dataclass(frozen=True)
class StartedExport:
    """The export was accepted. `retry_after`: seconds until its operation may be polled, if Microsoft said so."""

    operation_url: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Running:
    """The operation has not ended, or says something that nobody has documented.

    `retry_after`: seconds until it may be polled again, if Microsoft said so.
    """

    retry_after: float | None = None


@dataclass(frozen=True)
class Failed:
    """The operation failed; `code`, `message` and `request_id` are Microsoft's."""

    code: str
    message: str
    request_id: str | None = None


@dataclass(frozen=True)
class Succeeded:
    """The operation succeeded. `manifest` is what it embeds; else `manifest_url` is where the manifest can be read."""

    manifest_url: str
    manifest: Manifest | None = None


Operation = Running | Failed | Succeeded


def operation_from_json(body: Mapping[str, Any], url: str) -> Operation:
    """The state that the JSON of an operation, read from `url`, tells.

    Raises:
        UnusableAnswer: when it succeeded without a manifest, or with one that cannot be used.

    Source: https://learn.microsoft.com/graph/api/partners-billing-operation-get
    """
    status = str(body.get("status", "")).lower()
    kind = str(body.get("@odata.type", "")).rpartition(".")[2].lower()
    if status == "failed" or kind == "failedoperation":
        return _failure(body.get("error"))
    if status in {"succeeded", "completed"} or kind == "exportsuccessoperation":
        return _success(body, url)
    return Running()


def _failure(error: object) -> Failed:
    error = error if isinstance(error, Mapping) else {}
    code = cleaned(error.get("code"), "unknown", MOST_CODE_CHARACTERS)
    return Failed(code, cleaned(error.get("message"), "Microsoft gave no reason."))


def _success(body: Mapping[str, Any], url: str) -> Succeeded:
    embedded = body.get("resourceLocation")
    if isinstance(embedded, Mapping):
        return Succeeded(url, Manifest.from_json(embedded, url))
    linked = body.get("resourceLocation@odata.navigationLink")
    if linked:
        return Succeeded(require_link(linked))
    raise UnusableAnswer("The operation succeeded, but its answer has no manifest.", code="NoManifest")


def _bad_manifest(what: str) -> UnusableAnswer:
    return UnusableAnswer(f"The manifest cannot be used: {what}.", code="BadManifest")


def _blob(item: object) -> Blob:
    if not isinstance(item, Mapping):
        raise _bad_manifest("one of its blobs is not an object")
    return Blob(_text(item, "name", MOST_URL_CHARACTERS))


def _list(body: Mapping[str, Any], name: str) -> list[object]:
    value = body.get(name)
    if not isinstance(value, list):
        raise _bad_manifest(f"{name} is not a list")
    return value


def _part_of_url(body: Mapping[str, Any], name: str) -> str:
    value = _text(body, name, MOST_URL_CHARACTERS)
    if not is_clean(value, MOST_URL_CHARACTERS):
        raise _bad_manifest(f"{name} is not text on one line")
    return value


def _text(body: Mapping[str, Any], name: str, most: int = MOST_CHARACTERS) -> str:
    """Text that may hold anything that can be written, and never becomes a log line or, unchecked, a path."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _bad_manifest(f"{name} is missing")
    if len(value) > most:
        raise _bad_manifest(f"{name} is too long")
    if not value.isprintable() and any(unicodedata.category(character) == "Cs" for character in value):
        raise _bad_manifest(f"{name} is not text that can be stored")
    return value
