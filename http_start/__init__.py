"""Who starts an export, who watches or cancels it? HTTP routes and timers."""

from http_start import routes, timers
from http_start.blueprint import blueprint

__all__ = ["blueprint", "routes", "timers"]
