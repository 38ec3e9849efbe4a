"""What others wrote, on its way in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failures.text import MOST_CHARACTERS, cleaned, is_clean

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=3 * MOST_CHARACTERS)


@given(ANY_TEXT)
def test_whatever_is_written_becomes_one_line_that_every_encoding_can_write(text: str) -> None:
    """No log line is forged, protobuf and UTF-8 can write it, and it is not long."""
    line = cleaned(text, "nothing")
    assert line.encode()
    assert len(line.splitlines()) == 1
    assert 1 <= len(line) <= MOST_CHARACTERS


@given(ANY_TEXT)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    """Cleaning twice is cleaning once, and usual text is not touched."""
    assert is_clean(cleaned(text, "nothing").strip())


@pytest.mark.parametrize(
    ("given_text", "line"),
    [
        ("Größe: 3 µ, 日本語, 👍", "Größe: 3 µ, 日本語, 👍"),
        ("two\r\nlines", "two lines"),
        ("half \ud800 a pair", "half   a pair"),
        ("turned \u202e around", "turned   around"),
        ("next\u2028line\x85here", "next line here"),
        ("\x1b[31mred", "[31mred"),
        (5000, "5000"),
        (True, "nothing"),
        (None, "nothing"),
        (["a"], "nothing"),
        ({"a": 1}, "nothing"),
        (" \n ", "nothing"),
        ("", "nothing"),
    ],
)
def test_text_is_cleaned(given_text: object, line: str) -> None:
    """Numbers are taken, for codes are sometimes written so; what is no text at all is not."""
    assert cleaned(given_text, "nothing") == line
    assert json.dumps(line)


def test_long_text_is_cut() -> None:
    """A megabyte of message would not fit into a status."""
    assert cleaned("x" * 10**6, "nothing", 100) == "x" * 100
