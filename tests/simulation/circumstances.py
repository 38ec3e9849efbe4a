"""What a simulated world is like, from its beginning to its end."""

from dataclasses import dataclass, field, replace

from settings import Settings
from tests.simulation.chance import Chance


def settings(**given: float) -> Settings:
    """Settings of a host, the usual ones where none are given."""
    usual = {"LANDING_URL": "file:///not/used", "TABLES": "off"}
    return Settings.from_mapping(usual | {name.upper(): str(value) for name, value in given.items()})


@dataclass(frozen=True)
class Circumstances:
    """How many there are, how they are set, and what Microsoft and the landing zone are like."""

    hosts: int = 1
    invoices: int = 1
    blobs: tuple[int, int] = 0, 7
    """The least and the most blobs of an invoice."""
    settings: Settings = field(default_factory=settings)
    restless_seconds: int = 3600
    """The longest time in which no host dies and no data is restated, if it ever happens."""

    latency_seconds: float = 0.5
    """The time after which starts, deliveries and terminations take effect."""

    running_seconds: int = 15
    """How long an operation takes."""
    linked: bool = False
    """An operation links to its manifest; else it embeds it."""
    dated: bool = True
    """A manifest tells when it was created."""
    pinned: bool = False
    """A manifest stays as it was when its operation ended; else it is of the data as it is now."""

    in_place: bool = False
    """Renewed blobs lie where the old ones lay; else each release has a folder of its own."""
    kept: bool = True
    """The folder of a release stays when there is another."""
    has_md5: bool = True
    """The source tells each blob's MD5."""
    token_seconds: int = 3600
    """The life of a SAS token."""

    knows_md5: bool = True
    """The landing zone knows the MD5 of all that landed, as a folder does; else only of what the source told it."""
    slices: int = 0
    """Slices of time that are over in the middle of a blob."""
    unreached: float = 0.0
    """How often the landing account's own network keeps it from the source, though the app reaches it."""

    @classmethod
    def by(cls, chance: Chance) -> "Circumstances":
        """Such as they happen to be."""
        in_place = chance.is_so(0.3)
        return cls(
            hosts=chance.pick([1, 1, 2]),
            invoices=chance.pick([1, 1, 2]),
            settings=_settings_by(chance),
            restless_seconds=chance.pick([15, 300, 3600]),
            running_seconds=chance.pick([0, 5, 20]),
            linked=chance.is_so(0.3),
            dated=chance.is_so(0.8),
            # What is overwritten cannot be as it was.
            pinned=chance.is_so() and not in_place,
            in_place=in_place,
            kept=chance.is_so(),
            # Without it, other bytes of the same length would pass for those that had landed.
            has_md5=chance.is_so(0.7) or in_place,
            token_seconds=chance.pick([20, 90, 3600]),
            knows_md5=chance.is_so(),
            slices=chance.pick([0, 0, 2]),
            latency_seconds=chance.pick([0.5, 2, 10]),
            unreached=chance.pick([0.0, 0.1, 1.0]),
        )


def _settings_by(chance: Chance) -> Settings:
    drawn = settings(
        copy_batch_size=chance.whole(1, 4),
        copy_concurrency=chance.whole(1, 4),
        poll_interval_seconds=chance.pick([5, 10, 30]),
        poll_max_seconds=chance.pick([60, 300]),
        retry_seconds=chance.pick([1, 30]),
        export_attempts=chance.whole(1, 4),
        export_deadline_hours=chance.pick([0.2, 2, 24]),
    )
    # A slice without any time ends after each blob; no other is ever over, for the loop's time is not the machine's.
    return replace(drawn, copy_slice_seconds=chance.pick([0.0, 1e9]))
