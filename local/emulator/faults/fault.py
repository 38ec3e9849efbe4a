"""What can be made to go wrong: with which request, at which of its occurrences, and how?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

RequestKind = Literal["export", "operation", "manifest", "invoices", "blob", "blob-head"]
"""Posting an export; reading an operation, a manifest, the invoices, a blob (GET) or its properties (HEAD)."""

Cut = Literal["before-header", "after-header"] | int
"""Where the connection ends: before the answer, after its header, or after a number of bytes of its body."""

_OF_REAL_ANSWERS = ("headers", "merge", "flip")
_EFFECTS = ("answer", *_OF_REAL_ANSWERS, "delay", "cut")
_WITH_JSON = ("operation", "manifest", "invoices")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered instead of the real answer, which nobody is asked for then.

    The body is `json`, or else `text`; without either, a refusal has the body that the service would give it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    text: str | None = None

    def __post_init__(self) -> None:
        HTTPStatus(self.status)
        if self.json is not None and self.text is not None:
            raise ValueError("An answer has json or text, not both.")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong with some requests of one kind.

    `path`: narrows them to those whose decoded path has this part.
    `occurrence`: which of them, counted from 1: a number, several, a range, or "every".
    `answer`: another answer than the real one.
    `headers`: headers of the real answer; None removes one.
    `merge`: an RFC 7396 merge patch of the real answer's JSON.
    `flip`: inverts the byte at this offset of the real answer's body.
    `delay`: seconds before anything is answered.
    `cut`: where the connection ends.

    In the texts of `headers` and `merge`, `{real}` stands for what really was there, and `{path}` for its path where
    that is a URL.
    """

    request: RequestKind
    path: str = ""
    occurrence: int | Sequence[int] | Literal["every"] = "every"
    answer: Answer | None = None
    headers: Mapping[str, str | None] | None = None
    merge: Mapping[str, Any] | None = None
    flip: int | None = None
    delay: float | None = None
    cut: Cut | None = None

    def __post_init__(self) -> None:
        mistakes = " ".join(self._contradictions())
        if mistakes:
            raise ValueError(mistakes)

    @property
    def effects(self) -> list[str]:
        """What it does, in words such as `answer 503`, `delay 2` or `cut before-header`."""
        values = {name: getattr(self, name) for name in ("flip", "delay", "cut")}
        values |= {"answer": self.answer and self.answer.status, "headers": "changed", "merge": "changed"}
        return [f"{effect} {values[effect]}" for effect in _EFFECTS if self._has(effect)]

    def happens_at(self, count: int) -> bool:
        """Whether it happens to this one, counted from 1, of the requests that it is about."""
        if isinstance(self.occurrence, int):
            return count == self.occurrence
        return self.occurrence == "every" or count in self.occurrence

    def _contradictions(self) -> Iterator[str]:
        if not self._has(*_EFFECTS):
            yield f"A fault needs an effect: {', '.join(_EFFECTS)}."
        if self._has("answer") and self._has(*_OF_REAL_ANSWERS):
            yield f"An answer of its own excludes {', '.join(_OF_REAL_ANSWERS)}."
        if self.cut == "before-header" and self._has("answer", *_OF_REAL_ANSWERS):
            yield "A connection that is cut before the header excludes everything but a delay."
        if self._has("merge") and self.request not in _WITH_JSON:
            yield f"Only {', '.join(_WITH_JSON)} are answered with JSON to merge with."

    def _has(self, *effects: str) -> bool:
        return any(getattr(self, effect) is not None for effect in effects)
