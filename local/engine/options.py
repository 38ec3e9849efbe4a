"""How does the engine behave where the extension's behaviour depends on its settings and on its backend?"""

from dataclasses import dataclass, field

from local.engine.versions import Versions


@dataclass(frozen=True)
class Options:
    """`versions` are `host.json`'s."""

    versions: Versions = field(default_factory=Versions)
