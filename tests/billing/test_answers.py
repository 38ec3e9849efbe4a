"""What Microsoft answers, in every form that is documented or was seen."""

import dataclasses
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.answers import Blob, Failed, Manifest, Running, Succeeded, operation_from_json
from failures import UnusableAnswer
from tests.billing.samples import SAS, SIGNATURE, manifest, sample, succeeded

URL = "https://graph.microsoft.com/v1.0/reports/partners/billing/operations/9ab9cb54-d07f-4f52-9ea6-a09d7de52c14"
LINK = "https://graph.microsoft.com/v1.0/reports/partners/billing/manifests/8fe347d7-1e0f-4bd6-9091-4672691f32db"

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
NEARLY_BLOBS = st.lists(st.fixed_dictionaries({}, optional={"name": JSON, "sizeInBytes": JSON}) | JSON, max_size=4)
NEARLY_MANIFESTS = st.fixed_dictionaries(
    {},
    optional={
        "blobs": NEARLY_BLOBS | JSON,
        "blobCount": st.integers(0, 4) | JSON,
        "eTag": JSON,
        "rootDirectory": st.sampled_from(["https://[", "https://a.blob.core.windows.net/x"]) | JSON,
        "sasToken": JSON,
        "partnerTenantId": JSON,
        "createdDateTime": JSON,
    },
)
NEARLY_OPERATIONS = JSON.filter(lambda value: isinstance(value, dict)) | st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["succeeded", "completed", "failed", "running"]) | JSON,
        "@odata.type": st.just("#microsoft.graph.partners.billing.exportSuccessOperation") | JSON,
        "error": st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON}) | JSON,
        "resourceLocation": NEARLY_MANIFESTS | JSON,
        "resourceLocation@odata.navigationLink": JSON,
    },
)


def read(**changes: Any) -> Manifest:
    """The manifest with these changes."""
    return Manifest.from_json(manifest(**changes), URL)


def of(*names: str, **changes: Any) -> Manifest:
    """The manifest of blobs with these names."""
    return Manifest.from_json(manifest(*names, **changes), URL)


def refused(**changes: Any) -> str:
    """The message with which the manifest with these changes is refused."""
    with pytest.raises(UnusableAnswer) as caught:
        read(**changes)
    assert caught.value.code == "BadManifest"
    assert SIGNATURE not in str(caught.value)
    return caught.value.message


def test_running() -> None:
    """An operation under way is seen as running."""
    assert operation_from_json(sample("operation-running"), URL) == Running()


def test_failed() -> None:
    """A failed operation tells Microsoft's code and message."""
    assert operation_from_json(sample("operation-failed"), URL) == Failed("5000", "No data available")


def test_succeeded_with_its_manifest() -> None:
    """An embedded manifest is read whole; it is read again where it came from, at the operation."""
    operation = operation_from_json(sample("operation-succeeded-embedded"), URL)
    assert operation == Succeeded(
        URL,
        Manifest(
            url=URL,
            e_tag="RwDrn7fbiTXy6UULE",
            tenant_id="0e195b37-4574-4539-bc42-0e4b1d3a1e5b",
            created="2026-10-08T06:37:40.1234567Z",
            root="https://example.blob.core.windows.net/exports/billedusage/2026-10",
            blobs=(
                Blob("part-00000-5a93fa6f-749f-48bc-a372-9b021d93c3fa.c000.json.gz"),
                Blob("part-00001-5a93fa6f-749f-48bc-a372-9b021d93c3fa.c000.json.gz"),
            ),
            sas_token="sv=2025-11-05&sr=c&sp=rl&se=2026-10-08T07%3A37%3A40Z&sig=REDACTED",
        ),
    )


def test_succeeded_with_a_link() -> None:
    """A manifest that is only linked is told by its link."""
    assert operation_from_json(sample("operation-succeeded-linked"), URL) == Succeeded(LINK)


@pytest.mark.parametrize(
    "status", ["notStarted", "running", "Running", "processing", "unknownFutureValue", "", None, 7]
)
def test_unfinished_statuses(status: object) -> None:
    """What is not known as an end is no end: it is polled again until the deadline."""
    assert operation_from_json({"status": status}, URL) == Running()
    assert operation_from_json(sample("operation-running", status=status), URL) == Running()


@pytest.mark.parametrize("status", ["succeeded", "Succeeded", "completed", "COMPLETED"])
def test_succeeded_statuses(status: str) -> None:
    """Both documented words for success count, in any case, with or without a type."""
    operation = operation_from_json({"status": status, "resourceLocation": manifest()}, URL)
    assert isinstance(operation, Succeeded)
    assert operation.manifest == read()


@pytest.mark.parametrize("status", ["failed", "Failed", "FAILED"])
def test_failed_statuses(status: str) -> None:
    """Failure is seen in any case, with or without a type."""
    assert operation_from_json({"status": status, "error": {"code": 5000, "message": "x"}}, URL) == Failed("5000", "x")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("operation-failed", Failed),
        ("operation-succeeded-embedded", Succeeded),
        ("operation-succeeded-linked", Succeeded),
    ],
)
def test_the_type_tells_where_the_status_does_not(name: str, kind: type[object]) -> None:
    """An answer whose status says nothing is told apart by its type."""
    assert isinstance(operation_from_json(sample(name, status=None), URL), kind)


@pytest.mark.parametrize("error", [None, "broken", [], {}, {"code": None, "message": ""}])
def test_failure_without_reason(error: object) -> None:
    """A failure that gives no reason is a failure still, and not the final one of having no data."""
    assert operation_from_json({"status": "failed", "error": error}, URL) == Failed(
        "unknown", "Microsoft gave no reason."
    )


@pytest.mark.parametrize("body", [{}, {"resourceLocation": None}, {"resourceLocation@odata.navigationLink": ""}])
def test_success_without_manifest(body: dict[str, object]) -> None:
    """A success that leads to no manifest cannot be used."""
    with pytest.raises(UnusableAnswer) as caught:
        operation_from_json({"status": "succeeded", **body}, URL)
    assert caught.value.code == "NoManifest"


def test_unknown_fields_are_ignored() -> None:
    """Microsoft may add fields at any time."""
    assert read(newField={"deep": 1}) == read()
    assert operation_from_json(sample("operation-running", percentComplete=12), URL) == Running()


def test_text_that_cannot_be_written_is_refused() -> None:
    """Half a surrogate pair, which JSON allows, would stop every later step."""
    for field in ({"eTag": "\ud800"}, {"blobs": [{"name": "a\ud800.gz"}], "blobCount": 1}):
        with pytest.raises(UnusableAnswer):
            read(**field)


def test_a_manifest_may_be_empty() -> None:
    """An export without blobs is an empty export, not an error."""
    assert read(blobs=[], blobCount=0).blobs == ()


def test_fields_that_may_be_missing() -> None:
    """Tenant, time and count can be done without."""
    bare = read(partnerTenantId=None, createdDateTime=None, blobCount=None)
    assert (bare.tenant_id, bare.created, len(bare.blobs)) == (None, None, 2)


def test_the_tenant_id_has_one_spelling() -> None:
    """The tenant's folder is the same however Microsoft spells the GUID."""
    assert read(partnerTenantId="0E195B37-4574-4539-BC42-0E4B1D3A1E5B") == read()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"blobCount": 3}, "blobCount 3 and names 2"),
        ({"blobCount": "2"}, "blobCount '2'"),
        ({"blobs": None}, "blobs is not a list"),
        ({"blobs": {"name": "a"}}, "blobs is not a list"),
        ({"blobs": ["a"], "blobCount": 1}, "not an object"),
        ({"blobs": [{"partitionValue": "default"}], "blobCount": 1}, "name is missing"),
        ({"blobs": [{"name": ""}], "blobCount": 1}, "name is missing"),
        ({"blobs": [{"name": "a"}, {"name": "a"}]}, "twice"),
        ({"eTag": None}, "eTag is missing"),
        ({"eTag": 1}, "eTag is missing"),
        ({"rootDirectory": None}, "rootDirectory is missing"),
        ({"rootDirectory": "https://a.blob.core.windows.net/x?sv=1"}, "rootDirectory has a query"),
        ({"rootDirectory": "https://a.blob.core.windows.net/x#y"}, "rootDirectory has a query"),
        ({"sasToken": ""}, "sasToken is missing"),
        ({"partnerTenantId": "../other"}, "partnerTenantId is not a GUID"),
        ({"partnerTenantId": 7}, "partnerTenantId is not a GUID"),
    ],
)
def test_bad_manifests(changes: dict[str, Any], what: str) -> None:
    """A manifest that lacks what is needed or contradicts itself is refused, and the message says why."""
    assert what in refused(**changes)


def test_the_digest_is_stable() -> None:
    """The version's name is the same tomorrow and on another machine: it is part of what landed."""
    assert of("a.json.gz", "b.json.gz").digest == "0d8a00afe9f7e0fba362bb7d89d8d48ca6e255b0ee5813027d17818f71880dbc"


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order(names: list[str], random: Any) -> None:
    """The same data listed in another order, under another token, is the same version."""
    shuffled = random.sample(names, len(names))
    assert of(*names).digest == of(*shuffled, sasToken="another", createdDateTime="2027-01-01T00:00:00Z").digest


@pytest.mark.parametrize(
    "other",
    [
        of("a", "b", eTag="another"),
        of("a"),
        of("a", "c"),
        of("a", "b", "c"),
        of('a", "b'),
        of("ab"),
        of("a", "b", eTag='RwDrn7fbiTXy6UULE", ["a'),
    ],
)
def test_the_digest_changes_with_the_data(other: Manifest) -> None:
    """Another eTag or other names are another version."""
    assert other.digest != of("a", "b").digest


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("part-00000.c000.json.gz", "part-00000.c000.json.gz"),
        ("sub/folder/part 1.gz", "sub/folder/part%201.gz"),
        ("100%.gz", "100%25.gz"),
        ("a%2Fb.gz", "a%252Fb.gz"),
        ("a+b.gz", "a%2Bb.gz"),
        ("a#b.gz", "a%23b.gz"),
        ("a?b&c=d.gz", "a%3Fb%26c%3Dd.gz"),
        ("é-日本.gz", "%C3%A9-%E6%97%A5%E6%9C%AC.gz"),
    ],
)
@pytest.mark.parametrize("root", ["https://a.blob.core.windows.net/x/y", "https://a.blob.core.windows.net/x/y/"])
@pytest.mark.parametrize("sas_token", [SAS, f"?{SAS}"])
def test_blob_urls(name: str, path: str, root: str, sas_token: str) -> None:
    """A blob's URL keeps every character of its name, and the SAS token as Microsoft wrote it."""
    found = of(name, rootDirectory=root, sasToken=sas_token)
    assert found.blob_url(found.blobs[0]) == f"https://a.blob.core.windows.net/x/y/{path}?{SAS}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_blob_url_holds_its_name(name: str) -> None:
    """Whatever the name, the URL's path is root and name, and its query the SAS token: no name reaches elsewhere."""
    found = of(name)
    parts = urlsplit(found.blob_url(found.blobs[0]))
    assert unquote(parts.path) == f"/exports/billedusage/2026-10/{name}"
    assert (parts.netloc, parts.query, parts.fragment) == ("example.blob.core.windows.net", SAS, "")


def test_repr_hides_the_sas_token() -> None:
    """A manifest or an operation that ends up in a log gives no secret away."""
    operation = operation_from_json(succeeded(), URL)
    assert isinstance(operation, Succeeded)
    assert operation.manifest is not None
    assert operation.manifest.sas_token == SAS
    assert SIGNATURE not in f"{operation!r} {operation.manifest} {dataclasses.replace(operation.manifest, e_tag='x')}"


@given(NEARLY_OPERATIONS)
def test_any_object_is_an_operation_or_refused(body: dict[str, Any]) -> None:
    """Whatever Microsoft answers is one of the three states, or is refused as unusable; nothing else is raised."""
    try:
        operation = operation_from_json(body, URL)
    except UnusableAnswer:
        return
    assert isinstance(operation, Running | Failed | Succeeded)
