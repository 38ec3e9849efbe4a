"""The activities' registrations, and the one door through which their errors leave."""

import functools
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ParamSpec

import azure.durable_functions as df
from azure.durable_functions import DurableOrchestrationClient

from activities.problems import not_done
from clients.redaction import redacted
from failures import LATER, Failure
from failures.text import cleaned
from messages.exports import OfRun
from messages.instances import has_ended
from messages.problems import Answer, NotDone, Problem

if TYPE_CHECKING:
    JsonObject = dict[str, Any]
else:
    # The worker accepts only plain annotations on activity inputs: no parameters, no unions.
    JsonObject = dict

P = ParamSpec("P")

blueprint = df.Blueprint()
log = logging.getLogger(__name__)


def activity(name: str) -> Callable[[Callable[[JsonObject], Awaitable[JsonObject]]], Any]:
    """Registers an async activity. A failure that was foreseen is answered as data, with all that is known of it.

    What else it raises is logged, may be tried again, and reaches Durable as text without secrets.
    """

    def register(function: Callable[[JsonObject], Awaitable[JsonObject]]) -> Any:
        return blueprint.activity_trigger(input_name="message", activity=name)(_guarded(name, function))

    return register


def activity_with_client(
    name: str,
) -> Callable[[Callable[[JsonObject, DurableOrchestrationClient], Awaitable[JsonObject]]], Any]:
    """Registers an async activity as `activity` does; its second parameter, `client`, is a client of Durable."""

    def register(function: Callable[[JsonObject, DurableOrchestrationClient], Awaitable[JsonObject]]) -> Any:
        with_client = blueprint.durable_client_input(client_name="client")(_guarded(name, function))
        return blueprint.activity_trigger(input_name="message", activity=name)(with_client)

    return register


def activity_of_run(name: str) -> Callable[[Callable[[JsonObject], Awaitable[JsonObject]]], Any]:
    """Registers an async activity as `activity` does, whose order may say for which orchestration it is called.

    Once that has ended, or what it runs within, nobody waits for the answer, and nothing is done.
    """

    def register(function: Callable[[JsonObject], Awaitable[JsonObject]]) -> Any:
        async def asking_first(message: JsonObject, client: DurableOrchestrationClient) -> JsonObject:
            for id_ in OfRun.from_json(message).lineage:
                if has_ended(await client.get_status(id_)):
                    return Answer(not_done=_ended()).to_json()
            return await function(message)

        asking_first.__name__, asking_first.__doc__ = function.__name__, function.__doc__
        return activity_with_client(name)(asking_first)

    return register


def _ended() -> NotDone:
    problem = Problem("Ended", "The export ended before this step began.", "Start it again: what landed is kept.")
    return NotDone(problem, LATER)


def _guarded(name: str, function: Callable[P, Awaitable[JsonObject]]) -> Callable[P, Awaitable[JsonObject]]:
    @functools.wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> JsonObject:
        try:
            return await function(*args, **kwargs)
        except Failure as failure:
            return Answer(not_done=not_done(failure)).to_json()
        except Exception as fault:
            text = cleaned(redacted(f"{type(fault).__name__}: {fault}"), type(fault).__name__)
            # Durable keeps the text only; the log says where in the code it came from.
            log.error("%s failed: %s\n%s", name, text, redacted("".join(traceback.format_tb(fault.__traceback__))))
            raise ActivityFailed(text) from None

    return guarded


class ActivityFailed(Exception):
    """What nobody foresaw; the text is safe to be stored."""
