"""The export policy of the default settings, which the rooms' tests vary with `dataclasses.replace`."""

from messages.exports import Policy

POLICY = Policy(
    copy_batch_size=100,
    poll_interval_seconds=10,
    poll_max_seconds=300,
    retry_seconds=30,
    export_attempts=3,
    export_deadline_hours=24,
)
