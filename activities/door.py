"""The activities' registrations, and the one door through which their errors leave."""

import functools
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df

from activities.problems import not_now
from billing.errors import ServiceUnavailable
from billing.text import cleaned
from clients.redaction import redacted
from landing.errors import TryAgain
from messages.problems import PutOff

if TYPE_CHECKING:
    JsonObject = dict[str, Any]
else:
    # The worker accepts only plain annotations on activity inputs: no parameters, no unions.
    JsonObject = dict

blueprint = df.Blueprint()
log = logging.getLogger(__name__)


def activity(name: str) -> Callable[[Callable[[JsonObject], Awaitable[JsonObject]]], Any]:
    """Registers an async activity. What keeps it from its work for now is answered as data, with all that is known.

    What else it raises may be tried again too, and reaches Durable as text without secrets.
    """

    def register(function: Callable[[JsonObject], Awaitable[JsonObject]]) -> Any:
        @functools.wraps(function)
        async def guarded(message: JsonObject) -> JsonObject:
            try:
                return await function(message)
            except (ServiceUnavailable, TryAgain) as fault:
                return PutOff(not_now(fault)).to_json()
            except ActivityFailed:
                raise
            except Exception as fault:
                text = cleaned(redacted(f"{type(fault).__name__}: {fault}"), type(fault).__name__)
                # Durable keeps the text only; the log says where in the code it came from.
                log.error("%s failed: %s\n%s", name, text, redacted("".join(traceback.format_tb(fault.__traceback__))))
                raise ActivityFailed(text) from None

        return blueprint.activity_trigger(input_name="message", activity=name)(guarded)

    return register


class ActivityFailed(Exception):
    """An activity could not do its work now; the text is safe to be stored."""
