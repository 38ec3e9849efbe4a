"""What the next export finds where an earlier one broke off."""

from tests.faults.bench import Bench

THIRD = "part-00002.json.gz"


def test_what_landed_whole_is_kept(bench: Bench) -> None:
    """Blobs that are there with the right bytes are not read again."""
    bench.export()
    bench.uncommit()
    (bench.version / THIRD).unlink()
    bench.export()
    bench.require_success()
    assert bench.count("GET", "/exports/") == 1


def test_what_landed_otherwise_is_replaced(bench: Bench) -> None:
    """A blob with other bytes, of the same length or not, is replaced by the source's."""
    bench.export()
    bench.uncommit()
    whole = (bench.version / THIRD).read_bytes()
    (bench.version / THIRD).write_bytes(whole[:-1] + b"X")
    (bench.version / "part-00003.json.gz").write_bytes(b"half")
    bench.export()
    bench.require_success()
    assert bench.count("GET", "/exports/") == 2


def test_leftovers_are_removed(bench: Bench) -> None:
    """Temporary files of a crashed copy neither land nor stay."""
    bench.export()
    bench.uncommit()
    leftover = bench.plant(".unfinished-0123456789abcdef", b"half")
    bench.export()
    bench.require_success()
    assert not leftover.exists()


def test_a_foreign_blob_keeps_the_version_from_being_committed(bench: Bench) -> None:
    """A file that the manifest does not name would be read with the others, so it is named in the failure."""
    bench.export()
    bench.uncommit()
    bench.plant("foreign.json.gz", b"foreign")
    bench.export()
    assert "foreign.json.gz" in bench.require_failure("Incomplete", "Remove what is foreign")


def test_committed_data_is_unchanged(bench: Bench) -> None:
    """A second export of the same data copies nothing and says so."""
    bench.export()
    bench.export()
    bench.require_success()
    assert bench.status["result"]["unchanged"]
    assert bench.count("GET", "/exports/") == 0
