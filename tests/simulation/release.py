"""What a host serves: the release at hand, or the next one, whose exports take a step more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from azure.durable_functions import DurableOrchestrationContext, Orchestrator

import function_app
from local.engine import Instance, Versions
from local.functions import ActivityFunction, Functions, index
from messages.names import RUN_EXPORT
from orchestrator.run import Steps

NEW_STEP = "new_step"


@dataclass(frozen=True)
class Release:
    """The functions of a release, and the versions of runs that its `host.json` names."""

    functions: Functions
    versions: Versions


def at_hand() -> Release:
    """The code as it is."""
    return Release(index(function_app.app), Versions())


def following(takes_step: Callable[[str | None], bool] = lambda version: version is not None) -> Release:
    """The next release: exports of these versions take a step more, which is for those that it begins."""
    functions = at_hand().functions
    export: Callable[..., Any] = functions.orchestrators[RUN_EXPORT].orchestrator_function  # type: ignore[attr-defined]

    def changed(context: DurableOrchestrationContext) -> Steps[Any]:
        if takes_step(context.version):
            yield context.call_activity(NEW_STEP, {})
        return (yield from export(context))

    step = ActivityFunction(NEW_STEP, _new_step, "message", client_parameter=None)
    with_step = replace(
        functions,
        orchestrators={**functions.orchestrators, RUN_EXPORT: Orchestrator.create(changed)},
        activities={**functions.activities, NEW_STEP: step},
    )
    return Release(with_step, Versions(default="2"))


def require_own_steps(ended: Instance, history: Sequence[dict[str, Any]]) -> None:
    """A run that came to its end took the new step if the next release began it, else not."""
    taken = any(event.get("Name") == NEW_STEP for event in history)
    if ended.status != "Terminated":
        assert taken == (ended.version is not None), f"the steps of another release were taken by {ended}"


async def _new_step(message: dict[str, Any]) -> dict[str, Any]:
    return message
