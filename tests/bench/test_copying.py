"""The copy benchmark itself, over a few small blobs and without the tools that `make test` does not install."""

import asyncio

from bench.contenders import WITHOUT_TOOLS, activities_at_once, concurrency_for
from bench.copying import SERVER_SIDE, TO_FOLDER, Size, compare

SIZES = (Size(6, 3 << 10), Size(2, 1 << 20))


def test_every_contender_lands_the_same_bytes_and_gets_its_row() -> None:
    """`compare` reads back every blob of the first round and raises where a name or an MD5 differs; all get a row."""
    section = asyncio.run(compare(SIZES, 1, WITHOUT_TOOLS))
    rows = {(row[0], row[1], row[2]): row for row in section.rows}
    names = [contender.name for contender in WITHOUT_TOOLS]
    to_folder = {(TO_FOLDER, str(size), name) for size in SIZES for name in names}
    server_side = {(SERVER_SIDE, str(size), name) for size in SIZES for name in names if name != "SDK, one by one"}
    assert rows.keys() == to_folder | server_side
    assert all(len(row) == len(section.columns) for row in section.rows)
    assert all(float(row[3]) >= 0 for row in section.rows)
    assert [goal.text.partition(":")[0] for goal in section.goals] == [f"{SERVER_SIDE}, {size}" for size in SIZES]
    assert sum("Azurite's CPU seconds" in note for note in section.notes) == 4


def test_the_contenders_have_as_many_blobs_under_way_as_one_worker() -> None:
    """As many ranges as a worker runs activities, each with its 16 blobs: never more, and never more than blobs."""
    assert concurrency_for(2, streamed=False) == 2
    assert concurrency_for(100, streamed=False) == 16
    assert concurrency_for(512, streamed=False) == 6 * 16
    assert concurrency_for(100_000, streamed=False) == activities_at_once() * 16


def test_what_is_streamed_passes_the_threads_of_one_process() -> None:
    """However many ranges they work for."""
    assert concurrency_for(2, streamed=True) == 2
    assert concurrency_for(512, streamed=True) == 16
