"""The Functions host on this machine: HTTP routes, timers and the Durable extension, around the app's own functions."""

from local.host.durable import DurableExtension
from local.host.host import Host
from local.host.local_extension import LocalExtension

__all__ = ["DurableExtension", "Host", "LocalExtension"]
