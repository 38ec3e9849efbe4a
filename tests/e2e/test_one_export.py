"""One export, from the HTTP call to the landed files."""

import gzip
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local.running import host, until
from tests.e2e.conftest import World


def test_an_export_lands_whole_and_is_described(world: World, tmp_path: Path) -> None:
    """What lands has the source's bytes, a manifest with lengths and MD5, a commit marker, and a pointer to it."""
    blobs = {f"part-{i:05d}.json.gz": gzip.compress(f'{{"row": {i}}}\n'.encode()) for i in range(6)}
    world.emulator.use_data("G016907411", blobs, e_tag="RwDrn7fbiTXy6UULE")
    before = datetime.now(UTC).replace(microsecond=0)
    with host(world.settings, tmp_path) as app:
        status = app.export()
        listed = app.call("GET", "/api/exports").json()
    pointer = json.loads((world.export_folder / "_latest.json").read_text())
    version = world.export_folder / f"version={pointer['version']}"
    manifest = json.loads((version / "_manifest.json").read_text())
    total = sum(map(len, blobs.values()))
    assert status == {
        "id": "billedUsage-G016907411-full",
        "state": "succeeded",
        "phase": "done",
        "progress": {"blobsDone": 6, "blobCount": 6, "bytesDone": total},
        "startedAt": status["startedAt"],
        "updatedAt": status["endedAt"],
        "endedAt": status["endedAt"],
        "attempt": 1,
        "lastProblem": None,
        "nextTryAt": None,
        "result": {
            "eTag": "RwDrn7fbiTXy6UULE",
            "version": pointer["version"],
            "blobCount": 6,
            "bytes": total,
            "location": f"file://{version}/",
            "unchanged": False,
        },
        "error": None,
    }
    started, ended = (datetime.fromisoformat(status[moment]) for moment in ("startedAt", "endedAt"))
    assert before <= started <= ended <= datetime.now(UTC)
    assert listed == [status]
    assert {path.name: path.read_bytes() for path in world.export_folder.glob(pointer["glob"])} == blobs
    assert {blob["name"]: blob["md5"] for blob in manifest["blobs"]} == {
        name: hashlib.md5(content).hexdigest() for name, content in blobs.items()
    }
    assert (version / "_SUCCESS").exists()
    assert not list(world.landing.rglob(".unfinished-*"))


def test_eight_calls_at_once_start_one_export(world: World, tmp_path: Path) -> None:
    """However many callers ask for an export at once, Microsoft is asked once, and all are told the same id."""
    with host(world.settings, tmp_path) as app:
        with ThreadPoolExecutor(8) as callers:
            answers = list(
                callers.map(
                    lambda _: app.call("POST", "/api/exports", json={"invoiceId": "G016907411"}),
                    range(8),
                )
            )
        ended = app.ended(answers[0].headers["Location"])
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["id"] for answer in answers} == {"billedUsage-G016907411-full"}
    assert all(answer.json()["state"] in {"pending", "running"} for answer in answers)
    assert all(answer.headers["Retry-After"].isdigit() for answer in answers)
    assert ended["state"] == "succeeded"
    assert world.posts() == 1


def test_data_that_landed_is_not_copied_again(world: World, tmp_path: Path) -> None:
    """Unchanged data ends as unchanged; new data is a new version; restored data and a lost pointer cost no copy."""
    with host(world.settings, tmp_path) as app:
        first = app.export()["result"]
        copied = len(world.gate.passed)
        again = app.export()["result"]
        assert (again["unchanged"], again["version"]) == (True, first["version"])
        assert len(world.gate.passed) == copied == 6

        world.emulator.restate("G016907411", 1)
        restated = app.export()["result"]
        assert restated["version"] != first["version"]
        assert _pointed(world) == restated["version"]
        assert len(world.gate.passed) == 12

        world.emulator.restate("G016907411", 0)
        restored = app.export()["result"]
        assert (restored["unchanged"], restored["version"]) == (False, first["version"])
        assert _pointed(world) == first["version"]

        (world.export_folder / "_latest.json").unlink()
        assert app.export()["result"]["version"] == first["version"]
        assert _pointed(world) == first["version"]
        assert len(world.gate.passed) == 12


def _pointed(world: World) -> str:
    return str(json.loads((world.export_folder / "_latest.json").read_text())["version"])


def test_no_data_is_a_failure_that_says_what_to_do(world: World, tmp_path: Path) -> None:
    """An invoice without data fails once, with Microsoft's code and a remedy."""
    with host(world.settings, tmp_path) as app:
        status = app.export("G000000042")
    assert status["state"] == "failed"
    assert status["error"]["code"] == "5000"
    assert "No data available" in status["error"]["message"]
    assert status["error"]["remedy"]
    assert status["result"] is None
    assert world.posts() == 1
    assert not world.landing.joinpath("billed_usage").exists()


def test_a_token_that_is_refused_names_the_role(world: World, tmp_path: Path) -> None:
    """A wrong token ends the export with the application role that is missing, and Microsoft's request id."""
    with host(world.settings | {"GRAPH_STATIC_TOKEN": "wrong"}, tmp_path) as app:
        error = app.export()["error"]
    assert "PartnerBilling.Read.All" in error["remedy"]
    assert error["requestId"]


def test_a_cancelled_export_commits_nothing_and_none_starts_meanwhile(world: World, tmp_path: Path) -> None:
    """DELETE in the middle of copying ends the export; the same call again is answered the same; another one waits."""
    world.gate.hold_after(2)
    with host(world.settings, tmp_path) as app:
        location = app.post()
        until(lambda: world.gate.held, "a blob is being copied")
        assert app.call("DELETE", location).status_code == 202
        assert app.ended(location)["state"] == "cancelled"
        assert app.call("DELETE", location).status_code == 202
        world.gate.open()
        refused = app.call("POST", "/api/exports", json={"invoiceId": "G016907411"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (409, "30")
        assert app.call("DELETE", location, params={"forget": "true"}).status_code == 409
        assert not list(world.landing.rglob("_SUCCESS"))


def test_an_export_that_has_ended_can_be_forgotten(world: World, tmp_path: Path) -> None:
    """Then nobody knows it any more, and it can be started again; what landed stays."""
    with host(world.settings, tmp_path) as app:
        location = app.post()
        assert app.ended(location)["state"] == "succeeded"
        assert app.call("DELETE", location, params={"forget": "perhaps"}).status_code == 400
        assert app.call("DELETE", location, params={"forget": "true"}).status_code == 202
        assert app.call("GET", location).status_code == 404
        assert app.call("DELETE", location, params={"forget": "true"}).status_code == 404
        assert app.call("GET", "/api/exports").json() == []
        assert app.export()["result"]["unchanged"]


def test_bad_input_is_refused_whole_and_starts_nothing(world: World, tmp_path: Path) -> None:
    """Every fault of a request stands in one problem document, and no export begins."""
    with host(world.settings, tmp_path) as app:
        faulty = app.call("POST", "/api/exports", json={"invoiceId": "../x", "attributeSet": "all", "colour": "red"})
        refused = [
            app.call("POST", "/api/exports", content=body)
            for body in (
                b"",
                b"[]",
                b"{",
                b"null",
                b"\xff",
                b"[" * 10_000,
                b'{"invoiceId": "G016907411"',
                b"x" * 16_385,
            )
        ]
        unknown = [
            app.call(method, f"/api/exports/{id_}")
            for method in ("GET", "DELETE")
            for id_ in ("billedUsage-G999999999-full", "x%23y", "%2e%2e%2f", "billedUsage-G016907411-full:poll:1")
        ]
        listed = app.call("GET", "/api/exports").json()
        bad_date = app.call("GET", "/api/exports?since=yesterday")
    assert faulty.status_code == 400
    assert [error["field"] for error in faulty.json()["errors"]] == ["colour", "invoiceId", "attributeSet"]
    assert [response.status_code for response in refused] == [400] * 7 + [413]
    assert {response.status_code for response in unknown} == {404}
    assert bad_date.status_code == 400
    assert all(
        response.headers["Content-Type"].startswith("application/problem+json")
        for response in [faulty, *refused, bad_date]
    )
    assert listed == []
    assert world.posts() == 0


def test_durables_own_api_is_not_served_to_callers(world: World, tmp_path: Path) -> None:
    """The host's public port knows the app's routes and nothing else."""
    with host(world.settings, tmp_path) as app:
        responses: list[httpx.Response] = [
            app.call("GET", "/durabletask/instances/"),
            app.call("POST", "/durabletask/orchestrators/run_export/x"),
            app.call("GET", "/runtime/webhooks/durabletask/instances"),
        ]
    assert {response.status_code for response in responses} == {404}
