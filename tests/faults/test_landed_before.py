"""What the next export finds where an earlier one broke off."""

from local.emulator import Answer, Fault
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
    assert "foreign.json.gz" in bench.require_failure("Incomplete", "what the message names")


def test_committed_data_is_unchanged(bench: Bench) -> None:
    """A second export of the same data copies nothing and says so."""
    bench.export()
    bench.export()
    bench.require_success()
    assert bench.status["result"]["unchanged"]
    assert bench.count("GET", "/exports/") == 0


def test_committed_data_that_was_damaged_is_repaired(bench: Bench) -> None:
    """A second export of the same data copies what is gone or cut, says that it did, and nothing else."""
    bench.export()
    (bench.version / THIRD).unlink()
    (bench.version / "part-00003.json.gz").write_bytes(b"cut")
    bench.export()
    bench.require_success()
    assert not bench.status["result"]["unchanged"]
    assert bench.count("GET", "/exports/") == 2
    bench.export()
    assert bench.status["result"]["unchanged"]


def test_a_repair_that_cannot_be_made_leaves_pointer_and_marker_as_they_were(bench: Bench) -> None:
    """They are touched only after all was compared."""
    bench.export()
    (bench.version / THIRD).unlink()
    version = bench.version
    before = {file: file.stat().st_mtime_ns for file in (version / "_SUCCESS", version.parent / "_latest.json")}
    bench.export(Fault(request="blob", path=THIRD, answer=Answer(status=404)), settings={"EXPORT_ATTEMPTS": "1"})
    assert bench.status["error"]["code"] == "SourceMissing"
    assert {file: file.stat().st_mtime_ns for file in before} == before
    bench.status = {"result": {"version": version.name.removeprefix("version=")}}
    bench.export()
    bench.require_success()
