"""How does the engine behave where the extension's behaviour depends on its settings and on its backend?"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.engine.versions import Versions


@dataclass(frozen=True)
class Options:
    """What a host's Durable extension is told, and how its queues behave.

    `latency`: the time after which starts, deliveries and terminations take effect. `early_timers`: timers fire up to a
    second early, as on Azure Storage, whose queues count whole seconds. `hold`: the time for which an activity that a
    host has begun is kept from others, as `workItemQueueVisibilityTimeout` says there: after a kill it is called again
    only then.
    """

    versions: Versions = field(default_factory=Versions)
    latency: timedelta = timedelta()
    early_timers: bool = False
    hold: timedelta = timedelta()

    def firing(self, fire_at: datetime, now: datetime) -> datetime:
        """When a timer fires that is set now."""
        if not self.early_timers:
            return fire_at
        return now + timedelta(seconds=max(0, math.floor((fire_at - now).total_seconds())))
