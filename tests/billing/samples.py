"""Microsoft's answers, as the API reference and public client code show them: one JSON file each in `samples/`."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "samples"
SIGNATURE = "s1gn%2Fature%3D"
SAS = f"sv=2025-11-05&sr=c&sp=rl&sig={SIGNATURE}"


def sample(name: str, **changes: Any) -> Any:
    """The answer of this name, with some of its fields changed."""
    return json.loads((FOLDER / f"{name}.json").read_text()) | changes


def manifest(*names: str, **changes: Any) -> dict[str, Any]:
    """A manifest of blobs with these names, with some of its fields changed; a field changed to None is left out."""
    given = names or ("part-00000.json.gz", "part-00001.json.gz")
    blobs = [{"name": name, "partitionValue": "default"} for name in given]
    embedded: dict[str, Any] = sample("operation-succeeded-embedded")["resourceLocation"]
    body = embedded | {"sasToken": SAS, "blobs": blobs, "blobCount": len(blobs)} | changes
    return {name: value for name, value in body.items() if value is not None}


def succeeded(**changes: Any) -> Any:
    """A succeeded operation that embeds a manifest with some of its fields changed."""
    return sample("operation-succeeded-embedded", resourceLocation=manifest(**changes))
