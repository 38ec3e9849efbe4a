"""What happens next? Deterministic orchestrations, pure policies, and the messages that cross the durable boundary."""

from orchestrator import (
    backfill,
    build_table,
    build_tables,
    cancel_run,
    check_readiness,
    monthly_exports,
    notices,
    poll_operation,
    run_export,
)
from orchestrator.blueprint import blueprint

__all__ = [
    "backfill",
    "blueprint",
    "build_table",
    "build_tables",
    "cancel_run",
    "check_readiness",
    "monthly_exports",
    "notices",
    "poll_operation",
    "run_export",
]
