"""What does the emulator need of the storage that exports are read from?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qs, quote

from local.emulator.data.exports import Export


@dataclass(frozen=True)
class Grant:
    """Where an export's blobs are, without a trailing slash, and the SAS token that reads them."""

    root_directory: str
    sas_token: str

    @property
    def signatures(self) -> set[str]:
        """The token's signature, plain and percent-encoded: either would be a leak."""
        (signature,) = parse_qs(self.sas_token)["sig"]
        return {signature, quote(signature, safe="")}


class Storage(Protocol):
    """Holds the blobs of exports."""

    async def grant(self, export: Export, expires: datetime, base_url: str) -> Grant:
        """Has the export's blobs readable until `expires`. `base_url`, ending in `/`, is the emulator's own."""
        ...
