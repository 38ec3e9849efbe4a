"""Who starts an export, who watches or cancels it? HTTP routes and the monthly timer."""

from http_start import routes, timer
from http_start.blueprint import blueprint

__all__ = ["blueprint", "routes", "timer"]
