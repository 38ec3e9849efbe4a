"""The activities' registrations, and the one door through which their errors leave."""

import functools
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.durable_functions as df

from activities.problems import not_done
from clients.redaction import redacted
from failures import Failure
from failures.text import cleaned
from messages.problems import Answer

if TYPE_CHECKING:
    JsonObject = dict[str, Any]
else:
    # The worker accepts only plain annotations on activity inputs: no parameters, no unions.
    JsonObject = dict

blueprint = df.Blueprint()
log = logging.getLogger(__name__)


def activity(name: str) -> Callable[[Callable[[JsonObject], Awaitable[JsonObject]]], Any]:
    """Registers an async activity. A failure that was foreseen is answered as data, with all that is known of it.

    What else it raises is logged, may be tried again, and reaches Durable as text without secrets.
    """

    def register(function: Callable[[JsonObject], Awaitable[JsonObject]]) -> Any:
        @functools.wraps(function)
        async def guarded(message: JsonObject) -> JsonObject:
            try:
                return await function(message)
            except Failure as failure:
                return Answer(not_done=not_done(failure)).to_json()
            except Exception as fault:
                text = cleaned(redacted(f"{type(fault).__name__}: {fault}"), type(fault).__name__)
                # Durable keeps the text only; the log says where in the code it came from.
                log.error("%s failed: %s\n%s", name, text, redacted("".join(traceback.format_tb(fault.__traceback__))))
                raise ActivityFailed(text) from None

        return blueprint.activity_trigger(input_name="message", activity=name)(guarded)

    return register


class ActivityFailed(Exception):
    """What nobody foresaw; the text is safe to be stored."""
