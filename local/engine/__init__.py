"""A small durable engine that plays the part of the Durable extension: the SDK's own executor replays on it.

`DurableEngine` keeps its state in SQLite, in a file or in memory; its clock is injected, so that a test can let a day
of polling pass in milliseconds.
"""

from local.engine.clock import Clock, SystemClock, VirtualClock
from local.engine.engine import DurableEngine, InstanceActive
from local.engine.options import Options
from local.engine.store import Instance, Start, StateUnusable, Store
from local.engine.versions import Versions

__all__ = [
    "Clock",
    "DurableEngine",
    "Instance",
    "InstanceActive",
    "Options",
    "Start",
    "StateUnusable",
    "Store",
    "SystemClock",
    "Versions",
    "VirtualClock",
]
