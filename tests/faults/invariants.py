"""What holds after every export, however it ended."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def require_whole_versions(landing: Path) -> None:
    """A version with a commit marker has every blob of its manifest, with that length, and MD5 where known."""
    for marker in landing.rglob("_SUCCESS"):
        manifest = json.loads((marker.parent / "_manifest.json").read_text())
        described = {blob["landedName"]: (blob["length"], blob["md5"]) for blob in manifest["blobs"]}
        landed = {name: _measured(marker.parent / name) for name in described}
        assert landed == {name: (length, md5 or landed[name][1]) for name, (length, md5) in described.items()}
        assert len(described) == manifest["blobCount"]


def require_committed_pointers(landing: Path) -> None:
    """A pointer names a version that is committed."""
    for pointer in landing.rglob("_latest.json"):
        version = json.loads(pointer.read_text())["version"]
        assert (pointer.parent / f"version={version}" / "_SUCCESS").exists()


def require_nothing_unfinished(landing: Path, known: Iterable[Path]) -> None:
    """No temporary file is left behind, but for those that were there before."""
    assert set(landing.rglob(".unfinished-*")) <= set(known)


def require_nothing_outside(folder: Path, expected: set[str]) -> None:
    """The folder around the landing folder has nothing that the test did not put there."""
    assert {path.name for path in folder.iterdir()} <= expected


def require_no_secret(texts: Mapping[str, bytes], secrets: Iterable[str]) -> None:
    """No secret stands in any of the texts, which are given by where they were found."""
    assert [(place, secret) for secret in secrets for place, text in texts.items() if secret.encode() in text] == []


def _measured(blob: Path) -> tuple[int, str]:
    content = blob.read_bytes()
    return len(content), hashlib.md5(content).hexdigest()
