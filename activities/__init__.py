"""What is done? One file per activity; each but `start_export` may run twice, even at once, with the same outcome."""

from activities import (
    check_operation,
    commit_export,
    copy_blobs,
    end_run,
    list_invoices,
    probe_readiness,
    read_endings,
    reuse_version,
    send_notice,
    start_export,
    start_notice,
)
from activities.door import blueprint

__all__ = [
    "blueprint",
    "check_operation",
    "commit_export",
    "copy_blobs",
    "end_run",
    "list_invoices",
    "probe_readiness",
    "read_endings",
    "reuse_version",
    "send_notice",
    "start_export",
    "start_notice",
]
