"""Which version does a new instance get, and which instances does this host play?

Source: https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_NUMBERED = re.compile(r"\d+(\.\d+){1,3}")
"""What .NET reads as a version: two to four numbers. Of other texts it compares the characters."""


@dataclass(frozen=True)
class Versions:
    """What `host.json` says: the version of new instances, and how an instance's must match it to be played here."""

    default: str | None = None
    match: str = "CurrentOrOlder"

    @classmethod
    def read(cls, host_json: Mapping[str, Any]) -> Self:
        """The versions of a `host.json`."""
        settings = host_json.get("extensions", {}).get("durableTask", {})
        return cls(settings.get("defaultVersion"), settings.get("versionMatchStrategy", cls.match))

    def accepts(self, version: str | None) -> bool:
        """Whether an instance of this version is played; what is not waits for a host that accepts it."""
        match self.match:
            case "None":
                return True
            case "Strict":
                return (version or "") == (self.default or "")
            case _:
                return not _is_newer(version or "", self.default or "")


def _is_newer(version: str, other: str) -> bool:
    if _NUMBERED.fullmatch(version) and _NUMBERED.fullmatch(other):
        return _numbers(version) > _numbers(other)
    return version.casefold() > other.casefold()


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
