"""What holds at any time, whatever went wrong."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from catalog.export_request import ExportRequest
from landing.layout import landed_name
from local.engine import Instance
from messages.names import NOTICE_ID
from tests.simulation.host import Json
from tests.simulation.ledger import Release
from tests.simulation.memory_zone import Storage
from tests.simulation.source_blobs import SECRET
from tests.simulation.world import World


def require_all(world: World) -> None:
    """Ends, versions, pointers and secrets are as they should be."""
    notices = _notices(world)
    for ended in world.ends:
        _require_proper_end(ended)
        _require_told(ended, notices)
    for marker in world.storage.paths("/_SUCCESS"):
        _require_whole(world, marker.rpartition("/")[0])
    _require_pointers(world.storage)
    _require_final(path for path, _ in world.storage.writes)
    _require_no_secret(world)
    assert not world.complaints()


def require_success(world: World, request: ExportRequest, *, unchanged: bool) -> None:
    """The last export succeeded, and who follows the pointer reads exactly what Microsoft has now."""
    ended = world.ends[-1]
    assert ended.status == "Completed", ended
    result = json.loads(str(ended.output_json))
    assert result["unchanged"] or not unchanged, "what had landed before is told as new"
    (pointer,) = world.storage.paths("/_latest.json", f"/invoice_id={request.values['invoiceId']}/")
    assert _json(world.storage, pointer)["version"] == result["version"], "the pointer names another version"
    folder = f"{pointer.rpartition('/')[0]}/version={result['version']}"
    assert _blobs(world.storage, folder) == _landed(world.ledger.now[request.values["invoiceId"]])


def require_swept(world: World, request: ExportRequest) -> None:
    """Of versions that never committed nothing is left."""
    landed = world.storage.paths("", f"/invoice_id={request.values['invoiceId']}/")
    folders = {path.rpartition("/_SUCCESS")[0] for path in world.committed(request)}
    left = [path for path in landed if "/version=" in path and not path.startswith(tuple(f"{f}/" for f in folders))]
    assert not left, f"{left[0]} was left behind"


def _require_proper_end(ended: Instance) -> None:
    assert ended.status in {"Completed", "Failed", "Terminated"}
    if ended.status == "Failed":
        status = json.loads(ended.custom_status_json or "{}")
        assert {"code", "message", "remedy"} <= status.get("error", {}).keys(), ended


def _require_told(ended: Instance, notices: Sequence[Json]) -> None:
    """One notice tells of the end what the status shows; none tells of a run that was cancelled."""
    if ended.status == "Terminated":
        return
    outcomes, told = {"failed"}, json.loads(ended.custom_status_json or "{}").get("error")
    if ended.status == "Completed":
        outcomes, told = {"succeeded", "unchanged", "restated"}, json.loads(str(ended.output_json))
    matching = [notice for notice in notices if (notice["subject"], notice["data"]) == (ended.id, told)]
    assert {notice["outcome"] for notice in matching} <= outcomes
    assert matching, f"nobody is told of {ended}"


def _notices(world: World) -> list[Json]:
    """All notices, on whichever host."""
    instances = [instance for host in world.hosts for instance in host.store.instances()]
    return [json.loads(str(each.input_json)) for each in instances if each.id.startswith(NOTICE_ID)]


def _require_whole(world: World, folder: str) -> None:
    """What stands in a committed folder is what its manifest says, and what Microsoft once had under that eTag."""
    manifest = _json(world.storage, f"{folder}/_manifest.json")
    blobs = _blobs(world.storage, folder)
    told = {blob["landedName"]: (blob["length"], blob["md5"]) for blob in manifest["blobs"]}
    assert told == {name: _measured(content, told.get(name)) for name, content in blobs.items()}, folder
    names = tuple(sorted(blob["name"] for blob in manifest["blobs"]))
    release = world.ledger.find((manifest["source"]["invoiceId"], manifest["eTag"], names))
    assert release, f"{folder} is of data that never was"
    assert blobs == _landed(release), f"{folder} does not hold the data of its eTag"


def _measured(content: bytes, told: tuple[int, str | None] | None) -> tuple[int, str | None]:
    """Length and MD5, the latter where it was told."""
    return len(content), hashlib.md5(content).hexdigest() if told and told[1] else None


def _require_pointers(storage: Storage) -> None:
    """A pointer names a committed version and all of its blobs, and never went back to an older manifest's."""
    for pointer in storage.paths("/_latest.json"):
        latest, export = _json(storage, pointer), pointer.rpartition("/")[0]
        folder = f"version={latest['version']}"
        assert f"{export}/{folder}/_SUCCESS" in storage.blobs, "the pointer is ahead"
        blobs = [f"{folder}/{name}" for name in _blobs(storage, f"{export}/{folder}")]
        assert all(map(_pattern(latest["glob"]).fullmatch, blobs)), f"{latest['glob']} does not match {blobs}"
        states = [json.loads(content)["manifestCreatedDateTime"] for path, content in storage.writes if path == pointer]
        assert all(earlier <= later for earlier, later in pairwise(filter(None, states))), "the pointer went back"


def _pattern(glob: str) -> re.Pattern[str]:
    """The glob as readers take it: `**/` for any folders or none, `*` within one name."""
    return re.compile(re.escape(glob).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*"))


def _require_final(written: Iterable[str]) -> None:
    """Once a version has its marker, neither that nor any of its blobs is written again."""
    committed: set[tuple[str, str]] = set()
    for path in written:
        export, _, rest = path.partition("/version=")
        version, _, name = rest.partition("/")
        changed = (export, version) in committed and (name == "_SUCCESS" or not name.startswith("_"))
        assert not changed, f"{path} was written after the commit"
        if name == "_SUCCESS":
            committed.add((export, version))


def _require_no_secret(world: World) -> None:
    stored = "\n".join(host.store.dump() for host in world.hosts)
    landed = b"\n".join(content for path, content in world.storage.writes if "/_" in path)
    assert SECRET not in stored
    assert SECRET.encode() not in landed


def _blobs(storage: Storage, folder: str) -> dict[str, bytes]:
    """What readers of the folder see, by landed name: all but what is hidden by its name."""
    names = [path.removeprefix(f"{folder}/") for path in storage.paths("", f"{folder}/")]
    return {name: storage.blobs[f"{folder}/{name}"].content for name in names if not name.startswith("_")}


def _landed(release: Release) -> dict[str, bytes]:
    return {landed_name(name): content for name, content in release.blobs.items()}


def _json(storage: Storage, path: str) -> Any:
    return json.loads(storage.blobs[path].content)
