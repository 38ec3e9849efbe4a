"""The Durable extension's HTTP API, called by the SDK's own client."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus
from azure.durable_functions.models.utils import http_utils
from starlette.applications import Starlette

import function_app
from http_start import exports
from local.engine import DurableEngine, Start, Store, VirtualClock
from local.functions import index
from local.host.durable_api import PREFIX, DurableApi
from local.serving import listen, serving, url_of
from messages.instances import ENDED

EVERY_STATUS = ["Running", "Completed", "Failed", "Terminated"]
OLD = datetime(2026, 7, 1, 12, 30, 0, 500_000, tzinfo=UTC)
YOUNG = datetime(2026, 10, 1, tzinfo=UTC)
BETWEEN = datetime(2026, 8, 1, tzinfo=UTC)
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)

Scenario = Callable[[DurableOrchestrationClient], Awaitable[Any]]


class Hub:
    """A task hub, its API on a port of its own, and the SDK's client of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        engine = DurableEngine(index(function_app.app), store, VirtualClock())
        self._app = Starlette(routes=DurableApi(engine).routes)

    def add(self, id_: str, status: str, created: datetime) -> None:
        """An instance that was created then."""
        instance = self.store.create(Start(id_, "run_export", "{}"), None, created)
        if status == "Running":
            self.store.show(instance, status, None, created)
        elif status != "Pending":
            self.store.end(instance, status, "null", created)

    def add_every(self, created: datetime) -> None:
        """An instance in each status."""
        for status in EVERY_STATUS:
            self.add(f"{status}-{created:%m}", status, created)

    @property
    def ids(self) -> list[str]:
        """The instances that are there."""
        return [instance.id for instance in self.store.instances()]

    def ask(self, scenario: Scenario) -> Any:
        """What the scenario makes of the client's answers."""

        async def play() -> Any:
            bound = listen()
            binding = {"taskHubName": "local", "creationUrls": {}, "managementUrls": {}}
            rpc = {"rpcBaseUrl": f"{url_of(bound)}{PREFIX}/"}
            async with serving(self._app, [bound]):
                try:
                    return await scenario(DurableOrchestrationClient(json.dumps(binding | rpc)))
                finally:
                    await http_utils._close_session()

        return asyncio.run(play())

    def purge(self, *filters: Any) -> int:
        """How many instances a purge removed."""

        async def scenario(client: DurableOrchestrationClient) -> int:
            removed: int = (await client.purge_instance_history_by(*filters)).instances_deleted
            return removed

        removed: int = self.ask(scenario)
        return removed


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with runs in each status, of July and of October."""
    store = Store()
    hub = Hub(store)
    hub.add_every(OLD)
    hub.add_every(YOUNG)
    yield hub
    store.close()


def test_a_purge_removes_the_ended_of_its_time_only(hub: Hub) -> None:
    """Runs that have not ended stay, and so does what was created later; the answer counts the others."""
    assert hub.purge(LONG_AGO, BETWEEN, ENDED) == 3
    assert hub.ids == ["Running-07", "Running-10", "Completed-10", "Failed-10", "Terminated-10"]


def test_a_purge_never_removes_what_runs(hub: Hub) -> None:
    """Not even when it is asked to."""
    hub.add("Pending-07", "Pending", OLD)
    assert hub.purge(LONG_AGO, YOUNG + timedelta(days=1)) == 6
    assert sorted(hub.ids) == ["Pending-07", "Running-07", "Running-10"]
    assert hub.purge(LONG_AGO, BETWEEN, [OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Pending]) == 0
    assert sorted(hub.ids) == ["Pending-07", "Running-07", "Running-10"]


def test_a_purge_removes_only_the_statuses_that_it_names(hub: Hub) -> None:
    """Failures can be kept longer than successes."""
    assert hub.purge(LONG_AGO, BETWEEN, [OrchestrationRuntimeStatus.Completed]) == 1
    assert "Failed-07" in hub.ids


def test_a_purge_keeps_what_was_created_before_its_time(hub: Hub) -> None:
    """The time has two ends."""
    assert hub.purge(BETWEEN, YOUNG + timedelta(days=1), ENDED) == 3
    assert {"Completed-07", "Failed-07", "Terminated-07"} <= set(hub.ids)


@pytest.mark.parametrize(("seconds", "removed"), [(0, 0), (1, 3)])
def test_the_end_of_the_time_is_exact_to_the_second(hub: Hub, seconds: int, removed: int) -> None:
    """The client writes whole seconds; what was created half a second later is not before."""
    end = OLD.replace(microsecond=0) + timedelta(seconds=seconds)
    assert hub.purge(LONG_AGO, end, ENDED) == removed


def test_nothing_to_purge_is_no_error(hub: Hub) -> None:
    """A second purge finds nothing, and says so."""
    assert [hub.purge(LONG_AGO, BETWEEN, ENDED) for _ in range(2)] == [3, 0]


def test_what_was_purged_is_unknown_and_its_id_is_free(hub: Hub) -> None:
    """Neither status nor list knows it any more, and it can be started again."""

    async def scenario(client: DurableOrchestrationClient) -> tuple[bool, list[str], str]:
        await exports.forget_before(client, BETWEEN)
        known = bool(await client.get_status("Completed-07"))
        listed = [status.instance_id for status in await client.get_status_by(created_time_to=BETWEEN)]
        return known, listed, await client.start_new("run_export", "Completed-07", {})

    assert hub.ask(scenario) == (False, ["Running-07"], "Completed-07")


def test_the_timers_purge_removes_what_ended_long_ago(hub: Hub) -> None:
    """What the app asks for is understood."""
    hub.ask(lambda client: exports.forget_before(client, BETWEEN))
    assert hub.ids == ["Running-07", "Running-10", "Completed-10", "Failed-10", "Terminated-10"]


def test_a_start_may_name_its_version(hub: Hub) -> None:
    """As the SDK's client asks for it."""
    hub.ask(lambda client: client.start_new("run_export", "new", {}, version="1.5"))
    instance = hub.store.find("new")
    assert instance is not None
    assert instance.version == "1.5"


def _answers(method: str, *paths: str) -> Callable[[DurableOrchestrationClient], Awaitable[list[httpx.Response]]]:
    """The answers to these calls below the API's prefix, in plain HTTP."""

    async def scenario(client: DurableOrchestrationClient) -> list[httpx.Response]:
        base = client._orchestration_bindings.rpc_base_url
        async with httpx.AsyncClient(base_url=base) as http:
            return [await http.request(method, path) for path in paths]

    return scenario


def test_an_id_that_runs_is_not_started_again(hub: Hub) -> None:
    """As the extension answers; of a name that it does not know it says nothing."""
    taken, unknown = hub.ask(_answers("POST", "orchestrators/run_export/Running-10", "orchestrators/nobody/new"))
    assert (taken.status_code, unknown.status_code) == (409, 202)


def test_what_runs_cannot_be_purged(hub: Hub) -> None:
    """Neither by its id; what has ended can, once."""
    paths = ("Running-10", "Completed-10", "Completed-10", "nobody")
    answers = hub.ask(_answers("DELETE", *(f"instances/{id_}" for id_ in paths)))
    assert [answer.status_code for answer in answers] == [412, 200, 404, 404]
    assert "Running-10" in hub.ids


def test_times_are_told_in_whole_seconds(hub: Hub) -> None:
    """As the extension writes them."""
    (answer,) = hub.ask(_answers("GET", "instances/Completed-07"))
    told = answer.json()
    assert (told["createdTime"], told["lastUpdatedTime"]) == ("2026-07-01T12:30:00Z", "2026-07-01T12:30:00Z")


def test_a_list_is_in_no_order(hub: Hub) -> None:
    """Not in that of the starts: whoever needs one has to sort."""
    for number in range(40):
        hub.add(f"one-{number:02}", "Pending", YOUNG)
    (answer,) = hub.ask(_answers("GET", "instances/?instanceIdPrefix=one-"))
    ids = [status["instanceId"] for status in answer.json()]
    assert ids != sorted(ids)
    assert len(set(ids)) == 40


@pytest.mark.parametrize(("id_", "status"), [("Running-10", 202), ("Completed-10", 410), ("nobody", 404)])
def test_an_event_is_raised_for_what_is_active(hub: Hub, id_: str, status: int) -> None:
    """The payload, which the client encodes twice, reaches the instance as the text of its JSON."""

    async def scenario(client: DurableOrchestrationClient) -> int:
        url = client._orchestration_bindings.rpc_base_url + f"instances/{id_}/raiseEvent/go"
        async with httpx.AsyncClient() as http:
            return (await http.post(url, json=json.dumps({"a": [1]}))).status_code

    assert hub.ask(scenario) == status
    told = (
        []
        if (instance := hub.store.find(id_)) is None
        else hub.store.take_inbox(instance.execution, VirtualClock().now())
    )
    assert [(event["Name"], json.loads(event["Input"])) for event in told] == [("go", '{"a": [1]}')] * (status == 202)


def test_an_event_must_be_json(hub: Hub) -> None:
    """What cannot be read by the SDK's executor never gets into a history."""

    async def scenario(client: DurableOrchestrationClient) -> int:
        url = client._orchestration_bindings.rpc_base_url + "instances/Running-10/raiseEvent/go"
        async with httpx.AsyncClient() as http:
            return (await http.post(url, content=b"no JSON")).status_code

    assert hub.ask(scenario) == 400


def test_the_sdks_client_raises_events(hub: Hub) -> None:
    """It takes the answers as they are meant: of what has ended it raises an error."""

    async def scenario(client: DurableOrchestrationClient) -> None:
        await client.raise_event("Running-10", "go", {"a": 1})
        with pytest.raises(Exception, match="is gone"):
            await client.raise_event("Completed-10", "go", None)

    hub.ask(scenario)


def test_plain_http_is_answered_with_the_count(hub: Hub) -> None:
    """As the extension does: 200 and the number; 404 where there is nothing."""

    async def scenario(client: DurableOrchestrationClient) -> list[int]:
        url = client._orchestration_bindings.rpc_base_url + "instances/"
        query = {"createdTimeFrom": "2015-01-01T00:00:00.000000Z", "createdTimeTo": "2026-08-01T00:00:00.000000Z"}
        async with httpx.AsyncClient() as http:
            answers = [await http.delete(url, params=query | {"runtimeStatus": "Failed"}) for _ in range(2)]
        assert answers[0].json() == {"instancesDeleted": 1}
        return [answer.status_code for answer in answers]

    assert hub.ask(scenario) == [200, 404]


def test_a_list_comes_in_pages(hub: Hub) -> None:
    """Each says how to ask for the next one, the last says nothing; together they have each instance once."""

    async def scenario(client: DurableOrchestrationClient) -> list[str]:
        url, token, found = client._orchestration_bindings.rpc_base_url + "instances/", "", []
        async with httpx.AsyncClient() as http:
            for size in (3, 3, 2):
                headers = {"x-ms-continuation-token": token} if token else {}
                page = await http.get(url, params={"top": "3"}, headers=headers)
                assert len(page.json()) == size
                found += [status["instanceId"] for status in page.json()]
                token = page.headers.get("x-ms-continuation-token", "")
        assert token == ""
        return found

    assert sorted(hub.ask(scenario)) == sorted(hub.ids)


def test_from_when_on_to_purge_has_to_be_said(hub: Hub) -> None:
    """400, and nothing is forgotten by mistake."""

    async def scenario(client: DurableOrchestrationClient) -> int:
        async with httpx.AsyncClient() as http:
            url = client._orchestration_bindings.rpc_base_url + "instances/"
            return (await http.delete(url, params={"runtimeStatus": "Failed"})).status_code

    before = hub.ids
    assert (hub.ask(scenario), hub.ids) == (400, before)


def test_an_input_is_shown_as_text(hub: Hub) -> None:
    """As the extension shows that of another process's orchestrations."""

    async def scenario(client: DurableOrchestrationClient) -> Any:
        return (await client.get_status("Running-07")).input_

    assert hub.ask(scenario) == "{}"
