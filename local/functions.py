"""The functions that an app registers, sorted by what triggers them, as the Functions host indexes them."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
from azure.functions.decorators.function_app import Function


@dataclass(frozen=True)
class HttpFunction:
    """A function with an HTTP trigger: its route below the prefix, its methods, and how its parameters are called."""

    name: str
    call: Callable[..., Any]
    route: str
    methods: Sequence[str]
    request_parameter: str
    client_parameter: str | None


@dataclass(frozen=True)
class TimerFunction:
    """A function with a timer trigger. `schedule` is NCRONTAB, or `%SETTING%`."""

    name: str
    call: Callable[..., Any]
    schedule: str
    timer_parameter: str
    client_parameter: str | None


@dataclass(frozen=True)
class ActivityFunction:
    """A function with an activity trigger, and how its parameters are called."""

    name: str
    call: Callable[..., Any]
    input_parameter: str
    client_parameter: str | None


@dataclass(frozen=True)
class Functions:
    """All functions of one app."""

    orchestrators: Mapping[str, Callable[..., Any]]
    activities: Mapping[str, ActivityFunction]
    routes: Sequence[HttpFunction]
    timers: Sequence[TimerFunction]


@functools.cache
def index(app: df.DFApp) -> Functions:
    """The app's functions; kept, for the SDK takes the same names of a second indexing for duplicates."""
    functions = app.get_functions()
    return Functions(
        {_registered(f, "orchestration"): f.get_user_function() for f in _triggered(functions, "orchestrationTrigger")},
        {_registered(f, "activity"): _activity(f) for f in _triggered(functions, "activityTrigger")},
        [_http(function) for function in _triggered(functions, "httpTrigger")],
        [_timer(function) for function in _triggered(functions, "timerTrigger")],
    )


def _triggered(functions: Sequence[Function], kind: str) -> list[Function]:
    return [function for function in functions if _trigger(function).type == kind]


def _trigger(function: Function) -> Any:
    return function.get_trigger()


def _registered(function: Function, attribute: str) -> str:
    return str(getattr(_trigger(function), attribute) or function.get_function_name())


def _activity(function: Function) -> ActivityFunction:
    return ActivityFunction(
        _registered(function, "activity"),
        function.get_user_function(),
        _trigger(function).name,
        _client_parameter(function),
    )


def _http(function: Function) -> HttpFunction:
    trigger = _trigger(function)
    methods = [method.value for method in trigger.methods or ()]
    name = str(function.get_function_name())
    return HttpFunction(
        name, function.get_user_function(), trigger.route or name, methods, trigger.name, _client_parameter(function)
    )


def _timer(function: Function) -> TimerFunction:
    trigger = _trigger(function)
    name = str(function.get_function_name())
    return TimerFunction(
        name, function.get_user_function(), trigger.schedule, trigger.name, _client_parameter(function)
    )


def _client_parameter(function: Function) -> str | None:
    return next((binding.name for binding in function.get_bindings() if binding.type == "durableClient"), None)
