"""What happens next? Deterministic orchestrations, pure policies, and the messages that cross the durable boundary."""

from orchestrator import backfill, monthly_exports, poll_operation, run_export
from orchestrator.blueprint import blueprint

__all__ = ["backfill", "blueprint", "monthly_exports", "poll_operation", "run_export"]
