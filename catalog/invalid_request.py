"""Why can what a caller asks for not be taken?"""

from collections.abc import Container, Iterable, Mapping
from typing import Any


class InvalidRequest(ValueError):
    """The caller's request cannot be taken. `faults` names every fault: (field, or "" for the whole, sentence)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(f"{field}: {sentence}" if field else sentence for field, sentence in faults))
        self.faults = tuple(faults)


NOT_KNOWN = "This field is not known."
NOT_COMBINED = "This field cannot be combined with the others."


def uncombined(given: Iterable[object], names: Container[object], known: Container[object]) -> list[tuple[str, str]]:
    """The faults of fields that cannot be given beside those of these names, or are not even `known`."""
    return [(str(name), NOT_COMBINED if name in known else NOT_KNOWN) for name in given if name not in names]


def fields_of(body: object) -> Mapping[Any, Any]:
    """The members of a caller's JSON.

    Raises:
        InvalidRequest: when it is no object.
    """
    if not isinstance(body, Mapping):
        raise InvalidRequest([("", "The body must be a JSON object.")])
    return body
