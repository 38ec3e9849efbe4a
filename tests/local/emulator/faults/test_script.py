"""Scripts of faults, as files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.emulator import Answer, Fault, InvalidScript, read_script, script_from_json

PAGE = Path(__file__).parents[4] / "docs" / "emulator.md"


def test_a_script_says_what_python_can(tmp_path: Path) -> None:
    """JSON and Python objects are two ways to write the same faults."""
    script = tmp_path / "faults.json"
    script.write_text(
        json.dumps(
            [
                {"request": "operation", "occurrence": 2, "answer": {"status": 429, "headers": {"Retry-After": "1"}}},
                {"request": "blob", "path": "part", "occurrence": "2-4", "cut": 10, "delay": 0.5},
                {"request": "export", "occurrence": "3-", "headers": {"Location": None}},
            ]
        )
    )
    first, second, third = read_script(script)
    assert first == Fault(request="operation", occurrence=2, answer=Answer(status=429, headers={"Retry-After": "1"}))
    assert second == Fault(request="blob", path="part", occurrence=range(2, 5), cut=10, delay=0.5)
    assert [count for count in range(1, 6) if third.happens_at(count)] == [3, 4, 5]


def test_every_mistake_of_a_script_is_told_at_once() -> None:
    """One message lists all mistakes, each with the number of its fault."""
    with pytest.raises(InvalidScript) as refused:
        script_from_json(
            [
                {"request": "operations", "occurence": 1, "delay": -1},
                {"request": "blob", "occurrence": "4-2", "cut": "before", "flip": True},
                {"request": "blob", "answer": {"status": 999, "body": ""}, "headers": {"ETag": 1}},
                {"request": "blob", "merge": {}},
                {"delay": 1},
                {"request": "export"},
                7,
            ]
        )
    told = [mistake.partition(" must be ")[0].partition(" is not known")[0] for mistake in refused.value.mistakes]
    assert told == [
        "Fault 1: occurence",
        "Fault 1: request",
        "Fault 1: delay",
        "Fault 2: occurrence",
        "Fault 2: flip",
        "Fault 2: cut",
        "Fault 3: headers",
        "Fault 3: answer.body",
        "Fault 3: answer.status",
        "Fault 4: Only operation, manifest, invoices are answered with JSON to merge with.",
        "Fault 5: request is required.",
        "Fault 6: A fault needs an effect: answer, headers, merge, flip, delay, cut.",
        "Fault 7: It",
    ]
    assert all(mistake in str(refused.value) for mistake in refused.value.mistakes)


@pytest.mark.parametrize(
    "headers", [{"a b": "c"}, {"ä": "c"}, {"": "c"}, {"a": "b\r\nc: d"}, {"a": "\u20ac"}, {"a": 1}]
)
def test_a_header_that_http_does_not_allow_is_refused(headers: dict[str, Any]) -> None:
    """The server could not send it."""
    for fault in ({"headers": headers}, {"answer": {"status": 503, "headers": headers}}):
        with pytest.raises(InvalidScript, match="headers as HTTP allows them"):
            script_from_json([{"request": "blob", **fault}])


@pytest.mark.parametrize("text", ["", "{", "{}", "null", '"faults"', "[" * 100_000])
def test_a_file_that_is_no_list_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    """The message names the file."""
    script = tmp_path / "faults.json"
    script.write_text(text)
    with pytest.raises(InvalidScript, match=re.escape(str(script))):
        read_script(script)


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    """The message names the file that is not there."""
    with pytest.raises(InvalidScript, match=r"none\.json"):
        read_script(tmp_path / "none.json")


def test_the_examples_of_the_documentation_are_scripts() -> None:
    """Every JSON example of docs/emulator.md can be used as it stands."""
    examples = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 6
    assert all(script_from_json(json.loads(example)) for example in examples)


def test_the_python_examples_of_the_documentation_run() -> None:
    """The examples of docs/emulator.md hold what they assert."""
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102
