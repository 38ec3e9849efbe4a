"""The names under which orchestrations and activities are registered and called."""

RUN_EXPORT = "run_export"
POLL_OPERATION = "poll_operation"
MONTHLY_EXPORTS = "monthly_exports"
BACKFILL = "backfill"

START_EXPORT = "start_export"
CHECK_OPERATION = "check_operation"
REUSE_VERSION = "reuse_version"
COPY_BLOBS = "copy_blobs"
COMMIT_EXPORT = "commit_export"
LIST_INVOICES = "list_invoices"
SEND_NOTICE = "send_notice"
