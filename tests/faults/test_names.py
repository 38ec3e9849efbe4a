"""What a blob can be called."""

import pytest

from landing.rights import PROOF
from local.emulator import Fault
from tests.faults.bench import Bench


def test_names_land_as_they_are(bench: Bench) -> None:
    """Folders, spaces, reserved characters and other alphabets are part of a name."""
    names = [
        "a/b/c.gz",
        "with space.gz",
        "100%.gz",
        "%41.gz",
        "a+b.gz",
        "#1.gz",
        "what?.gz",
        "ünï-日本.gz",
        "a&b=c;d.gz",
    ]
    bench.blobs = {name: name.encode() for name in names}
    bench.export()
    bench.require_success()


def test_no_blob_poses_as_a_marker(bench: Bench) -> None:
    """A leading underscore or dot is percent-encoded, so that readers skip no blob and mistake none."""
    names = ["_SUCCESS", ".hidden", "_receipts/00000.json", "_manifest.json", "a/_b/.c", ".unfinished-1"]
    bench.blobs = {name: name.encode() for name in names}
    bench.export()
    assert bench.status["state"] == "succeeded"
    landed = ["%5FSUCCESS", "%2Ehidden", "%5Freceipts/00000.json", "%5Fmanifest.json", "a/%5Fb/%2Ec", "%2Eunfinished-1"]
    assert [(bench.version / name).read_bytes() for name in landed] == list(bench.blobs.values())
    assert (bench.version / "_SUCCESS").read_bytes() == b""


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "a/../../../../../escape",
        "..",
        "./a",
        "a//b",
        "/etc/escape",
        "a/",
        "a\\b",
        "a\nb",
        "a\x00b",
        "x" * 241,
        "x/" * 500 + "x",
    ],
    ids=lambda name: ascii(name[:30]),
)
def test_a_name_that_is_no_safe_path_is_refused(bench: Bench, name: str) -> None:
    """One such name ends the export before anything is written."""
    blobs = [{"name": "fine.gz"}, {"name": name}]
    bench.export(Fault(request="operation", merge={"resourceLocation": {"blobs": blobs, "blobCount": 2}}))
    bench.require_failure("UnsafeName", "Microsoft's support")
    assert [file.name for file in bench.landing.rglob("*")] == [PROOF]


def test_names_that_would_collide_are_refused(bench: Bench) -> None:
    """Two blobs never land under one name."""
    bench.blobs = {"_a": b"one", "%5Fa": b"other"}
    bench.export()
    assert "one name" in bench.require_failure("UnsafeName", "Microsoft's support")
