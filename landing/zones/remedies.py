"""What to do where a landing zone refuses, by the reason that it gives."""

import errno
from collections.abc import Mapping

_ROLE = (
    "Give the app's identity the role Storage Blob Data Contributor on the landing container; "
    "a new assignment takes up to 15 minutes to count. A SAS token in LANDING_CONNECTION_STRING must let it read, "
    "create, write, delete and list."
)

AZURE: Mapping[str, str] = {
    "AuthorizationFailure": (
        "Let the app through the storage account's firewall, by its virtual network or a private endpoint; "
        "if it is let through, give its identity the role Storage Blob Data Contributor on the landing container, or "
        "check the key or SAS token in LANDING_CONNECTION_STRING."
    ),
    "AuthorizationPermissionMismatch": _ROLE,
    "AuthenticationFailed": "Check the key or SAS token in LANDING_CONNECTION_STRING, and this machine's clock.",
    "BlobImmutableDueToPolicy": (
        "Choose a landing container without an immutability policy: _latest.json and a few other small blobs "
        "must be overwritten. Versions can be kept by a lock against deletion instead."
    ),
    "ContainerNotFound": (
        "Create the container that LANDING_URL names, or give the app's identity the role Storage Blob Data "
        "Contributor on the storage account, so that it can."
    ),
    "InvalidHeaderValue": (
        "Start Azurite with --skipApiVersionCheck: it refuses requests of a newer API version than its own."
    ),
}
"""By Azure Storage's error code."""

OTHER_SERVER = (
    "Check LANDING_URL, and what stands between the app and the account: "
    "a proxy or a sign-in page answers in its place."
)
"""Where what answers is not Azure Storage."""

MAY_PASS = frozenset({"AuthorizationFailure", "AuthorizationPermissionMismatch"})
"""Codes of refusals that a role or a rule of the firewall ends which was only just made, and does not count yet."""

_NO_ROOM = (
    "Make room on the disk of the landing folder, or raise the limit (quota, ulimit -f); then start the export again."
)
_NOT_WRITABLE = "Let the user that the app runs as write in the landing folder, and in all folders below it."
_FILE_IN_THE_WAY = "Move away the file that stands where the path in the message, below LANDING_URL, needs a folder."
_FOLDER_IN_THE_WAY = "Move away the folder that stands where the path in the message needs a file."
_FILES = "Raise the limit of open files (ulimit -n), or lower COPY_CONCURRENCY."

LOCAL: Mapping[int | None, str] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NOT_WRITABLE),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), _FILE_IN_THE_WAY),
    errno.EISDIR: _FOLDER_IN_THE_WAY,
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _FILES),
    errno.EROFS: "Mount the file system of the landing folder so that it can be written, or choose another folder.",
}
"""By the system's error number."""

GONE = (
    "Check that the folder that LANDING_URL names is there, mounted, and that nobody removes folders in it; then start "
    "the export again."
)
"""Where a folder is not there that has just been made."""
