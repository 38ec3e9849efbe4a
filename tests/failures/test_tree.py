"""The tree of failures, as it is drawn."""

import re

import pytest

import failures
from failures import ANEW, FINAL, LATER, Failure, LandingFailure, SourceFault


def _all(kind: type[Failure]) -> set[type[Failure]]:
    return {kind}.union(*map(_all, kind.__subclasses__()))


CLASSES = sorted((kind for kind in _all(Failure) if kind.__module__ == "failures"), key=lambda kind: kind.__name__)


def _drawn() -> list[tuple[int, str, str | None]]:
    """Depth, name and word of each line of the drawing."""
    lines = re.findall(r"^    ([│├└─ ]*)(\w+)(?: +(later|anew|final)  | +|$)", str(failures.__doc__), re.MULTILINE)
    return [(len(branch) // 4, name, word or None) for branch, name, word in lines]


def test_the_drawing_is_the_tree() -> None:
    """Who reads the module's first lines knows every failure, what it is below, and what helps."""
    above: list[type[Failure]] = []
    kinds = {kind.__name__: kind for kind in CLASSES}
    drawn = _drawn()
    assert sorted(name for _, name, _ in drawn) == sorted(kinds)
    for depth, name, word in drawn:
        kind = kinds[name]
        above[depth:] = [kind]
        assert depth == 0 or kind.__base__ is above[depth - 1], name
        assert word in {kind.kind, None}, name
        assert word or depth == 0 or kind.kind == above[depth - 1].kind, name


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_failure_says_what_to_do(kind: type[Failure]) -> None:
    """One sentence, of whichever failure it is."""
    assert kind.remedy.endswith(".")
    assert kind.kind in {LATER, ANEW, FINAL}


@pytest.mark.parametrize("kind", [LATER, ANEW, FINAL])
def test_whoever_knows_better_says_so(kind: failures.Kind) -> None:
    """The word is a failure's own, not its class's."""
    assert LandingFailure("Known better.", kind=kind).kind == kind
    assert LandingFailure("Not so.").kind == FINAL


def test_a_failure_is_told_by_its_code_and_message() -> None:
    """The service's own code where there is one, else the failure's name."""
    assert str(SourceFault("It is away.")) == "SourceFault: It is away."
    assert str(SourceFault("It is away.", code="BlobArchived")) == "BlobArchived: It is away."
