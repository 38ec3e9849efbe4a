"""Finding many instances, and forgetting them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.engines.hub import Hub, moment

LONG_AGO = "2015-01-01T00:00:00.000000Z"


@pytest.fixture
def three(hub: Hub, id_: str) -> str:
    """The prefix of three instances: `done` and `failed` have ended, `waits` runs."""
    hub.run("answer", f"{id_}-done")
    hub.start("strict", f"{id_}-failed", "this")
    hub.ended(f"{id_}-failed")
    hub.start("await_event", f"{id_}-waits", "go")
    hub.says(f"{id_}-waits", "waiting")
    return id_


def _written(at: datetime) -> str:
    """As the SDK writes a time."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_list_shows_what_a_status_shows(hub: Hub, three: str) -> None:
    """In no order."""
    listed = {status["instanceId"]: status for status in hub.list(instanceIdPrefix=three).json()}
    assert listed == {id_: hub.read(id_).json() for id_ in (f"{three}-{end}" for end in ("done", "failed", "waits"))}


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ("Completed", {"done"}),
        ("Failed", {"failed"}),
        ("Running", {"waits"}),
        ("Completed,Failed", {"done", "failed"}),
        ("Terminated", set()),
    ],
)
def test_a_list_can_be_of_some_statuses(hub: Hub, three: str, statuses: str, found: set[str]) -> None:
    """Separated by commas."""
    ids = hub.ids(instanceIdPrefix=three, runtimeStatus=statuses)
    assert ids == {f"{three}-{end}" for end in found}


def test_a_list_can_be_of_a_time(hub: Hub, three: str) -> None:
    """From a moment on, up to a moment, or between the two."""
    created = moment(hub.read(f"{three}-done").json()["createdTime"])
    before, after = _written(created - timedelta(seconds=1)), _written(datetime.now(UTC) + timedelta(hours=1))
    everything = hub.ids(instanceIdPrefix=three)
    assert len(everything) == 3
    assert hub.ids(instanceIdPrefix=three, createdTimeFrom=before) == everything
    assert hub.ids(instanceIdPrefix=three, createdTimeFrom=before, createdTimeTo=after) == everything
    assert hub.ids(instanceIdPrefix=three, createdTimeTo=before) == set()
    assert hub.ids(instanceIdPrefix=three, createdTimeFrom=after) == set()


def test_children_are_listed_with_their_parent(hub: Hub, id_: str) -> None:
    """By their ids, where these begin with the parent's, and by a field that others lack."""
    hub.run("family", id_, 3)
    parents = {status["instanceId"]: status.get("parentInstanceId") for status in hub.list(instanceIdPrefix=id_).json()}
    assert parents == {id_: None, **{f"{id_}:{n}": id_ for n in range(3)}}


def test_a_list_comes_in_pages(hub: Hub, id_: str) -> None:
    """Each says how to ask for the next one, the last says nothing; together they have each instance once."""
    hub.run("family", id_, 6)
    found, token = [], ""
    for _ in range(3):
        page = hub.page(token, instanceIdPrefix=id_, top="3")
        found += [status["instanceId"] for status in page.json()]
        token = page.headers.get("x-ms-continuation-token", "")
    assert token == ""
    assert len(found) == 7
    assert set(found) == {id_, *(f"{id_}:{n}" for n in range(6))}


def test_a_page_has_a_hundred_where_no_one_asks_for_more(hub: Hub, id_: str) -> None:
    """The SDK's client does not ask for the next."""
    hub.run("family", id_, 105)
    assert len(hub.ids(instanceIdPrefix=id_)) == 100
    assert len(hub.ids(instanceIdPrefix=id_, top="200")) == 106


def test_what_has_ended_is_forgotten(hub: Hub, three: str) -> None:
    """200 with the count; then its id is unknown."""
    for ending in ("done", "failed"):
        forgotten = hub.purge(f"{three}-{ending}")
        assert (forgotten.status_code, forgotten.json()) == (200, {"instancesDeleted": 1})
        assert hub.read(f"{three}-{ending}").status_code == 404
    assert hub.ids(instanceIdPrefix=three) == {f"{three}-waits"}


def test_what_runs_is_not_forgotten(hub: Hub, three: str) -> None:
    """412, and it goes on."""
    assert hub.purge(f"{three}-waits").status_code == 412
    hub.tell(f"{three}-waits", "go", "now")
    assert hub.output(f"{three}-waits") == '"now"'


def test_many_are_forgotten_at_once(hub: Hub, three: str) -> None:
    """Those of a time and of some statuses, never one that runs."""
    created = moment(hub.read(f"{three}-done").json()["createdTime"])
    query = {"createdTimeFrom": _written(created), "createdTimeTo": _written(datetime.now(UTC) + timedelta(hours=1))}
    answer = hub.purge_all(**query, runtimeStatus="Failed,Running")
    assert answer.status_code == 200
    assert answer.json()["instancesDeleted"] >= 1
    assert hub.ids(instanceIdPrefix=three) == {f"{three}-done", f"{three}-waits"}


def test_nothing_to_forget_is_said(hub: Hub) -> None:
    """404."""
    assert hub.purge_all(createdTimeFrom=LONG_AGO, createdTimeTo=LONG_AGO).status_code == 404


def test_from_when_on_to_forget_has_to_be_said(hub: Hub) -> None:
    """400: nobody forgets everything by mistake."""
    assert hub.purge_all(runtimeStatus="Completed").status_code == 400
