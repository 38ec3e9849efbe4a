"""The messages that tell how orchestrations ended: to whoever waits for them, all that failed look the same."""

from dataclasses import dataclass

from messages.encoding import Message
from messages.problems import Answer, Problem


@dataclass(frozen=True)
class EndedInstances(Message):
    """Input of `read_endings`: the ids of instances that have failed, or were cancelled."""

    ids: list[str]


@dataclass(frozen=True)
class Ending(Message):
    """How the instance of this id ended: a person has `cancelled` it, or for this `problem`, where it has told one."""

    id: str
    cancelled: bool = False
    problem: Problem | None = None


@dataclass(frozen=True)
class Endings(Answer):
    """Answer of `read_endings`."""

    endings: list[Ending]
