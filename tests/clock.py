"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Shows one moment (UTC), wherever a function that tells the time is asked for."""

    def __init__(self, moment: datetime = datetime(2026, 10, 9, 6, 12, 53, tzinfo=UTC)) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def move(self, by: timedelta | float) -> None:
        """Moves it, by seconds where the number has no unit."""
        self.moment += by if isinstance(by, timedelta) else timedelta(seconds=by)
