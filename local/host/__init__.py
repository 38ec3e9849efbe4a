"""The Functions host on this machine: HTTP routes, timers and the Durable extension, around the app's own functions."""

from local.host.host import Host

__all__ = ["Host"]
