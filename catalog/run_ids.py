"""Under which ids do exports and monthly runs go? What else Durable runs has other ids."""

import re

from catalog.datasets import DATASETS, INVOICE
from catalog.months import MONTH

EXPORT_ID = re.compile(
    "|".join(
        "-".join([dataset.name, *(f"({field.pattern})" for field in dataset.fields)]) for dataset in DATASETS.values()
    )
)
"""Of one export: `billedUsage-G016907411-full`."""

MONTHS_ID = re.compile(f"monthly-{MONTH.pattern}(-to-{MONTH.pattern})?")
"""Of a month, or of a range of months: `monthly-2026-10`, `monthly-2026-01-to-2026-10`."""

RUN_ID = re.compile(f"{EXPORT_ID.pattern}|{MONTHS_ID.pattern}")
"""Of what a caller can start: these are listed."""

CHILD_ID = re.compile(f"{MONTHS_ID.pattern}(:{MONTH.pattern})?(:({EXPORT_ID.pattern}))?")
"""Of a run of months, and of what runs within it: `monthly-2026-10:billedUsage-G016907411-full`."""

SUBJECT_ID = re.compile(f"{EXPORT_ID.pattern}|{CHILD_ID.pattern}")
"""Of whatever a notice may tell of: these can be watched and cancelled."""

_MADE = f"table-{INVOICE.pattern}|tables-{MONTH.pattern}"

TABLE_ID = re.compile(f"{_MADE}|({_MADE}|{SUBJECT_ID.pattern}):table:[0-9a-f]{{8}}")
"""Of what makes a table, or a month's, and of each table that is made within a run: these can be watched."""
