"""Where does a thing lie in the landing zone?"""

from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path, PurePosixPath

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from failures import UnsafeName
from landing.layout import ExportFolder, TablePlace, landed_name, require_landable

EXPORT = ExportFolder.of(
    "billed_usage",
    [("partner_tenant", "0e195b37"), ("invoice_id", "G016907411"), ("attribute_set", "full")],
)
VERSION = EXPORT.version("5f0c2ab94d3e7a10ffff")
NAMES = st.text(st.sampled_from("_.%/a5FE2é \\\x00") | st.characters(), min_size=1, max_size=30)


def test_paths() -> None:
    """Everything lies where the documentation says."""
    export = "billed_usage/partner_tenant=0e195b37/invoice_id=G016907411/attribute_set=full"
    version = f"{export}/version=5f0c2ab94d3e7a10"
    assert EXPORT.path == export
    assert EXPORT.latest == f"{export}/_latest.json"
    assert VERSION.path == version
    assert VERSION.manifest == f"{version}/_manifest.json"
    assert VERSION.commit_marker == f"{version}/_SUCCESS"
    assert VERSION.receipt(0, 100) == f"{version}/_receipts/_00000-00100.json"
    assert VERSION.receipt(99900, 123456) == f"{version}/_receipts/_99900-123456.json"
    assert VERSION.blob("sub/part 0.json.gz") == f"{version}/sub/part 0.json.gz"


@pytest.mark.parametrize(("count", "numbers", "pattern"), [(1, [""], ""), (2, ["-1", "-2"], "-*")])
def test_a_table_has_one_file_or_numbered_ones(count: int, numbers: list[str], pattern: str) -> None:
    """And a pattern that matches them: none of another invoice, nor what is said of the table."""
    place = TablePlace("partner_tenant=0e195b37", "2026-10", "G0169")
    folder = "focus/partner_tenant=0e195b37/billing_month=2026-10"
    assert place.files(count) == tuple(f"{folder}/G0169{number}.parquet" for number in numbers)
    assert place.glob(count) == f"{folder}/G0169{pattern}.parquet"
    assert all(place.has(path) and fnmatchcase(path, place.glob(count)) for path in place.files(count))
    others = ["G01690.parquet", "G01690-1.parquet", "_G0169.json", "G0169-1.parquet.part", "below/G0169.parquet"]
    for other in (f"{folder}/{name}" for name in others):
        assert not place.has(other)
        assert not fnmatchcase(other, place.glob(count))


def test_a_partition_without_value() -> None:
    """A tenant that Microsoft does not name is what Hive calls no value, which readers turn into NULL."""
    assert ExportFolder.of("d", [("partner_tenant", None)]).path == "d/partner_tenant=__HIVE_DEFAULT_PARTITION__"


@pytest.mark.parametrize(
    ("name", "landed"),
    [
        ("part-00000.c000.json.gz", "part-00000.c000.json.gz"),
        ("a/b/c.gz", "a/b/c.gz"),
        ("with space%20+#?é日本😀.gz", "with space%20+#?é日本😀.gz"),
        ("_SUCCESS", "%5FSUCCESS"),
        ("_manifest.json", "%5Fmanifest.json"),
        (".hidden", "%2Ehidden"),
        ("...", "%2E.."),
        ("_receipts/00000.json", "%5Freceipts/00000.json"),
        ("a/_b/.c/d_.e", "a/%5Fb/%2Ec/d_.e"),
        ("_", "%5F"),
        ("/".join(["a"] * 400), "/".join(["a"] * 400)),
        ("é" * 120, "é" * 120),
    ],
)
def test_landed_names(name: str, landed: str) -> None:
    """A blob keeps its name, but for what would hide it or let it pose as a marker."""
    assert landed_name(name) == landed


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a/..",
        "a\\b",
        "..\\a",
        "a\x00b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a\ud800b",
        "/".join(["abcd"] * 200),
        "a" * 241,
        "é" * 121,
        "_" + "a" * 239,
    ],
)
def test_unsafe_names(name: str) -> None:
    """A name that could lead elsewhere, or that no storage takes, is refused, shortened in the message."""
    with pytest.raises(UnsafeName) as caught:
        landed_name(name)
    assert len(caught.value.message) < 600
    with pytest.raises(UnsafeName):
        VERSION.blob(name)
    with pytest.raises(UnsafeName):
        require_landable(["fine", name])


@given(NAMES)
def test_a_landed_name_stays_inside(name: str) -> None:
    """Whatever the name, it is refused, or lands inside the version's folder, under a name that is not hidden."""
    try:
        path = VERSION.blob(name)
    except UnsafeName:
        return
    inside = path.removeprefix(f"{VERSION.path}/")
    assert inside != path
    segments = inside.split("/")
    assert PurePosixPath(path).parts == (*PurePosixPath(VERSION.path).parts, *segments)
    assert not any(segment in {"", ".", ".."} or segment[0] in "_." for segment in segments)
    assert path not in {VERSION.manifest, VERSION.commit_marker}


@given(st.lists(NAMES, max_size=5, unique=True))
def test_landable_names_never_collide(names: list[str]) -> None:
    """Blobs that can land together each have a place of their own."""
    try:
        require_landable(names)
    except UnsafeName:
        return
    assert len({landed_name(name) for name in names}) == len(names)


@given(NAMES, NAMES)
def test_only_encoded_names_collide(one: str, other: str) -> None:
    """Two names are only ever confused where one of them spells the other's encoding."""
    try:
        require_landable([one, other])
        landed_name(one)
    except UnsafeName:
        return
    assert (landed_name(one) == landed_name(other)) == (one == other)


@pytest.mark.parametrize(("one", "other"), [("_a", "%5Fa"), (".a", "%2Ea"), ("x/_a", "x/%5Fa")])
def test_collisions_are_refused(one: str, other: str) -> None:
    """Names that would land at one place are refused before anything is copied; a name given twice is one blob."""
    require_landable([one, one])
    with pytest.raises(UnsafeName, match="one name"):
        require_landable([one, "between", other])


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["part-00000-5a.c000.json.gz", "part-00001-5a.c000.json.gz"], "*.c000.json.gz"),
        (["part-00000-5a.c000.json.gz"], "*.c000.json.gz"),
        (["a.json.gz", "b.c000.json.gz"], "*.json.gz"),
        (["a.csv.gz", "b.json.gz"], "*.gz"),
        (["sub/a.json.gz", "b.json.gz"], "**/*.json.gz"),
        (["x.y/a.gz", "x.y/b.gz"], "**/*.gz"),
        ([], "*.json.gz"),
        (["a.json", "b.json"], "[!_.]*.json"),
        (["sub/a", "b"], "**/[!_.]*"),
        (["a.[1].json.gz", "b.[1].json.gz"], "*.json.gz"),
        (["a.v*.json.gz"], "*.json.gz"),
        (["a.x?.y.gz"], "*.y.gz"),
        (["a.{1,2}.gz"], "*.gz"),
        (["a.json[1]", "b.json[1]"], "[!_.]*"),
        (["a.gz]"], "[!_.]*"),
    ],
)
def test_glob(names: list[str], pattern: str) -> None:
    """The pattern that readers are given matches every blob and no marker of ours."""
    given = VERSION.glob(names)
    assert given == f"version=5f0c2ab94d3e7a10/{pattern}"
    for name in names:
        assert fnmatchcase(name.rsplit("/", 1)[-1], given.rsplit("/", 1)[-1])
    for marker in ("_manifest.json", "_SUCCESS", "_00000-00100.json"):
        assert not fnmatchcase(marker, given.rsplit("/", 1)[-1])


ODD_NAMES = (
    "a[1].json.gz",
    "a].x[.json.gz",
    "b*.json.gz",
    "c?.json.gz",
    "d[!a].json.gz",
    "e{f,g}.json.gz",
    "h.[*?].json.gz",
)


@pytest.mark.parametrize("names", [*([name] for name in ODD_NAMES), ODD_NAMES, ["x.json[1]"], ["x.gz?", "y/z.gz?"]])
def test_the_glob_finds_names_that_look_like_globs(names: list[str], tmp_path: Path) -> None:
    """As engines read it: exactly the blobs, whatever characters their names have."""
    for path in (*map(VERSION.blob, names), VERSION.manifest, VERSION.commit_marker, VERSION.receipt(0, 9)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    pattern = str(tmp_path / VERSION.export.path / VERSION.glob(names))
    with duckdb.connect() as database:
        found = database.execute("SELECT file FROM glob(?)", [pattern]).fetchall()
    assert {file for (file,) in found} == {str(tmp_path / VERSION.blob(name)) for name in names}
    assert {path for path in glob(pattern, recursive=True) if Path(path).is_file()} == {file for (file,) in found}
