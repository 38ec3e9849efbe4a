"""Which parts of a table share a file?"""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.sums import Sum
from tables.table import files_of

COUNTS = st.lists(st.integers(0, 20), max_size=30)


def _parts(counts: list[int]) -> list[tuple[Path, Sum]]:
    return [(Path(f"{index:05d}.parquet"), Sum(count)) for index, count in enumerate(counts)]


@given(COUNTS, st.integers(1, 30))
def test_each_part_is_in_one_file_in_its_order(counts: list[int], most: int) -> None:
    """And a file says how many rows its parts have."""
    files = files_of(_parts(counts), most)
    assert [part for file in files for part in file.parts] == [path for path, _ in _parts(counts)]
    for file in files:
        assert file.total.rows == sum(counts[int(part.stem)] for part in file.parts)


@given(COUNTS, st.integers(1, 30))
def test_a_file_has_as_many_parts_as_fit(counts: list[int], most: int) -> None:
    """The first of the next file would not have; a part that is too large by itself is alone."""
    files = files_of(_parts(counts), most)
    assert all(file.total.rows <= most or len(file.parts) == 1 for file in files)
    for file, following in pairwise(files):
        assert file.total.rows + counts[int(following.parts[0].stem)] > most


@pytest.mark.parametrize("counts", [[], [0], [0, 0]])
def test_a_table_without_rows_has_a_file(counts: list[int]) -> None:
    """One, whatever its parts."""
    (file,) = files_of(_parts(counts), 3)
    assert file.total == Sum()
