"""What an activity does with a Durable client of its own, on the host."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
from azure.durable_functions import DurableOrchestrationClient as Client
from azure.durable_functions import DurableOrchestrationContext as Context

from local.host import Host, LocalExtension
from local.running import WITHOUT_TLS
from local.serving import listen

PATIENCE = 10.0


def _app(activity: Callable[..., Any]) -> df.DFApp:
    """An app whose call starts an orchestration, and that an activity, which has a client. Its state is read by a call.

    `other` waits until it is ended.
    """
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="start", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def start(req: func.HttpRequest, client: Client) -> func.HttpResponse:
        return func.HttpResponse(await client.start_new("ask", "asking"), status_code=202)

    @app.route(route="look", methods=["GET"])
    @app.durable_client_input(client_name="client")
    async def look(req: func.HttpRequest, client: Client) -> func.HttpResponse:
        status = await client.get_status("asking")
        return func.HttpResponse(json.dumps([status.runtime_status.name, status.output]))

    @app.orchestration_trigger(context_name="context")
    def ask(context: Context) -> Any:
        return (yield context.call_activity("activity", "other"))

    @app.orchestration_trigger(context_name="context")
    def other(context: Context) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=1))

    app.activity_trigger(input_name="message", activity="activity")(
        app.durable_client_input(client_name="client")(activity)
    )
    return app


def _answer(activity: Callable[..., Any]) -> Any:
    """What the activity answered, when it was called by an orchestration of the host."""

    async def play() -> Any:
        host = Host(_app(activity), listen(), LocalExtension(None), None)
        async with host.running(), httpx.AsyncClient(base_url=host.url, verify=WITHOUT_TLS) as http:
            await http.post("/api/start")
            async with asyncio.timeout(PATIENCE):
                while (ended := (await http.get("/api/look")).json())[0] in {"Pending", "Running"}:
                    await asyncio.sleep(0.01)
        return ended

    state, output = asyncio.run(play())
    assert state == "Completed", output
    return output


def test_an_activity_starts_an_orchestration_and_reads_its_status() -> None:
    """The client is bound beside the message, as the worker does."""

    async def activity(message: str, client: Client) -> list[Any]:
        started = await client.start_new(message, "new")
        status = await client.get_status("new")
        return [started, status.instance_id, status.name]

    assert _answer(activity) == ["new", "new", "other"]


def test_an_activity_ends_an_orchestration() -> None:
    """Termination is what the client asks for; the status tells when it took effect."""

    async def activity(message: str, client: Client) -> Any:
        await client.start_new(message, "new")
        await client.terminate("new", "enough")
        while (status := await client.get_status("new")).runtime_status in {
            df.OrchestrationRuntimeStatus.Pending,
            df.OrchestrationRuntimeStatus.Running,
        }:
            await asyncio.sleep(0.01)
        return [status.runtime_status.name, status.output]

    assert _answer(activity) == ["Terminated", "enough"]
