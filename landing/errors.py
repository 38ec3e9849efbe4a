"""What can go wrong between a source blob and the landing zone.

    LandingError
    ├── TryAgain                    the same call may succeed later
    │   ├── LandingUnavailable      the landing zone does not answer, or is throttled
    │   └── SourceFault             the source blob cannot be read
    │       ├── SourceUnavailable   it does not answer, or was cut short
    │       ├── SourceExpired       403: the SAS token has run out
    │       ├── SourceMissing       404: the blob is not (or no longer) there
    │       └── SourceChanged       the blob is not the one that was described
    ├── LandingRefused              final: the landing zone does not take it
    ├── UnsafeName                  final: a blob's name cannot become a path
    └── Incomplete                  what landed is not what the manifest names

Each carries `code`, `message` and `remedy`; no text quotes a URL, for source URLs hold a secret.
"""

from typing import Self


class LandingError(Exception):
    """Base of all errors of landing."""

    remedy = "Look at the landing zone that LANDING_URL names."

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def about(self, blob_name: str) -> Self:
        """The same error, with the name of the source blob that it happened to."""
        return type(self)(f"{self.message} Blob: {blob_name!r}.")

    @property
    def code(self) -> str:
        """The error's name: what the status shows."""
        return type(self).__name__


class TryAgain(LandingError):
    """The same call may succeed later."""


class LandingUnavailable(TryAgain):
    """The landing zone does not answer, or is throttled."""

    remedy = "Start the export again when the storage account that LANDING_URL names answers; what landed is kept."


class SourceFault(TryAgain):
    """The source blob cannot be read now; a new export may name a better one."""


class SourceUnavailable(SourceFault):
    """The source does not answer, or its answer was cut short."""

    remedy = "Start the export again later; what landed is kept."


class SourceExpired(SourceFault):
    """The source refuses its SAS token: it has most likely run out."""

    remedy = "Start the export again: a new export brings a new token; what landed is kept."


class SourceMissing(SourceFault):
    """The source blob is not there."""

    remedy = "Start the export again; if this lasts, tell Microsoft's support which blob of the manifest is missing."


class SourceChanged(SourceFault):
    """The source blob is not the one that was described a moment ago."""

    remedy = "Start the export again: Microsoft is renewing the data."


class LandingRefused(LandingError):
    """The landing zone does not take it: no permission, no such account, no space."""

    remedy = (
        "Give the app's identity the role Storage Blob Data Contributor on the landing container, or make room; "
        "then start the export again."
    )


class UnsafeName(LandingError):
    """A blob's name cannot become a path in the landing zone."""

    remedy = "Give the request id to Microsoft's support: the manifest names a blob that cannot be stored safely."


class Incomplete(LandingError):
    """What landed is not what the manifest names."""

    remedy = "Remove what is foreign to the version folder, if the message names something, and start the export again."
