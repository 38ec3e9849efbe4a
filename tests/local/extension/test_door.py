"""What the extension's program asks at the door, and is answered."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions as df
import httpx
from azure.durable_functions import DurableOrchestrationClient, DurableOrchestrationContext

from local.engine.clock import VirtualClock
from local.engine.protocol import EventType, document, event
from local.extension.door import Door
from local.functions import index

Scenario = Callable[[Door, httpx.AsyncClient], Awaitable[Any]]
NOW = VirtualClock().now()


def _ask(scenario: Scenario) -> Any:
    """What the scenario makes of the door's answers."""

    async def play() -> Any:
        door = Door(index(_app()))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door.app), base_url="http://door") as http:
            return await scenario(door, http)

    return asyncio.run(play())


def _app() -> df.DFApp:
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def work(context: DurableOrchestrationContext) -> Any:
        if context.get_input() == "thread":
            return threading.current_thread() is threading.main_thread()
        if context.get_input() == "bad":
            raise ValueError("this is bad")
        return (yield context.call_activity("double", context.get_input()))

    @app.activity_trigger(input_name="message")
    async def double(message: Any) -> Any:
        return message + message

    @app.activity_trigger(input_name="question", activity="asked")
    @app.durable_client_input(client_name="client")
    async def ask(question: str, client: DurableOrchestrationClient) -> str:
        return f"{question} {type(client).__name__}"

    return app


def _invoked(name: str, body: str, headers: dict[str, str] | None = None) -> httpx.Response:
    answer: httpx.Response = _ask(lambda _, http: http.post(f"/_invoke/{name}", content=body, headers=headers))
    return answer


def _context(input_: Any) -> str:
    started = event(EventType.EXECUTION_STARTED, NOW, Name="work", Input=json.dumps(input_), Version=None)
    return document("one", None, json.dumps(input_), [event(EventType.ORCHESTRATOR_STARTED, NOW), started])


def test_the_functions_are_listed_with_their_bindings() -> None:
    """By the names that they were registered under."""
    listed = _ask(lambda _, http: http.get("/_functions")).json()
    assert listed == [
        {"name": "work", "trigger": "orchestrationTrigger", "binding": "context", "client": None},
        {"name": "double", "trigger": "activityTrigger", "binding": "message", "client": None},
        {"name": "asked", "trigger": "activityTrigger", "binding": "question", "client": "client"},
    ]


def test_the_client_binding_is_the_extensions_own() -> None:
    """Once it came, the extension is ready."""

    async def scenario(door: Door, http: httpx.AsyncClient) -> str:
        assert not door.client_binding.done()
        await http.post("/_client", content='{"taskHubName": "grün"}')
        return await door.client_binding

    assert _ask(scenario) == '{"taskHubName": "grün"}'


def test_an_activity_is_called_with_json_and_answers_with_json() -> None:
    """The worker's own converters read and write it."""
    assert _invoked("double", '"grün"').json() == "grüngrün"
    assert _invoked("double", "[1]").json() == [1, 1]


def test_an_activity_has_the_client_that_comes_with_its_call() -> None:
    """In a header, since the body is its input."""
    binding = json.dumps({"taskHubName": "hub", "creationUrls": {}, "managementUrls": {}})
    assert _invoked("asked", '"which"', {"X-Durable-Client": binding}).json() == "which DurableOrchestrationClient"


def test_an_orchestrator_answers_with_the_sdks_json() -> None:
    """Its actions, or its output."""
    answer = _invoked("work", _context("twice")).json()
    assert (answer["isDone"], answer["actions"][0][0]["functionName"]) == (False, "double")


def test_an_orchestrator_does_not_hold_up_activities() -> None:
    """It runs on a thread of its own, as in the worker."""
    assert _invoked("work", _context("thread")).json()["output"] is False


def test_a_failed_activity_says_what_it_raised() -> None:
    """Type and text, and where it was raised."""
    answer = _invoked("double", "null")
    assert answer.status_code == 500
    assert answer.json()["message"].startswith("TypeError: unsupported operand")
    assert "in double" in answer.json()["stack"]


def test_a_failed_orchestrator_hands_over_the_sdks_part() -> None:
    """What the extension reads the actions from comes through as it was."""
    answer = _invoked("work", _context("bad"))
    assert answer.status_code == 500
    reason, _, state = answer.json()["message"].partition("\n\n$OutOfProcData$:")
    assert "this is bad" in reason
    assert json.loads(state)["error"] == "this is bad"


def test_a_function_that_is_not_there_is_not_found() -> None:
    """Nobody who was given the list asks for it."""
    assert _invoked("nobody", "null").status_code == 404
