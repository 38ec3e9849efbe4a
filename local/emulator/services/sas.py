"""Who may read from a folder, and until when?

Tokens look like Azure's service SAS, though the text that is signed is the emulator's own.
Source: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from local.emulator.clock import whole_seconds

_VERSION = "2025-11-05"


class Signer:
    """Signs SAS tokens with a key, and knows its own again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, root: str, expires: datetime) -> str:
        """A token that reads and lists everything below the path `root` until `expires`."""
        expiry = whole_seconds(expires)
        fields = {"sv": _VERSION, "sr": "c", "sp": "rl", "se": expiry, "sig": self._signature(root, expiry)}
        return urlencode(fields)

    def admits(self, query: Mapping[str, str], root: str, now: datetime) -> bool:
        """Whether the query of a URL below `root` is a token of ours that has not expired."""
        expiry = query.get("se", "")
        signature = self._signature(root, expiry)
        genuine = hmac.compare_digest(query.get("sig", "").encode(), signature.encode())
        # Texts of this form sort as the moments do.
        return genuine and whole_seconds(now) < expiry

    def _signature(self, root: str, expiry: str) -> str:
        digest = hmac.digest(self._key, f"{root}\n{expiry}".encode(), "sha256")
        return base64.b64encode(digest).decode()
