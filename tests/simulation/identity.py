"""Plays the identity that the app runs under: its endpoint is away now and then, for seconds or for long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from failures import TokenUnavailable
from tests.simulation.chance import Chance
from tests.simulation.virtual_time import now


@dataclass(frozen=True)
class Token:
    """What a credential of azure-identity gives."""

    token: str


class Identity:
    """One identity for all hosts. It gives the one token that Graph takes."""

    def __init__(self, token: str, chance: Chance) -> None:
        self._token = token
        self._chance = chance
        self._away_until = now()

    async def get_token(self, *_: str, **__: Any) -> Token:
        """A token, if its endpoint answers."""
        if self._chance.strikes(0.02):
            self._away_until = now() + timedelta(seconds=self._chance.pick([1, 60, 1200]))
        if now() < self._away_until:
            raise TokenUnavailable(f"The endpoint is away, and says no word of {self._token[:6]}.")
        return Token(self._token)

    async def renew(self) -> None:
        """It has no other."""
