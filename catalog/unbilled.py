"""What is exported of data that is not billed yet, each time that its schedule says so."""

from collections.abc import Sequence
from datetime import datetime

from catalog.datasets import CURRENCY, PERIOD
from catalog.export_request import ExportRequest

LAST_DAY = 10
"""Day of the month (UTC) until which the data of the month before still changes; then it is billed."""


def unbilled_requests(datasets: Sequence[str], currencies: Sequence[str], now: datetime) -> list[ExportRequest]:
    """What is exported at this moment (UTC): the current month, and until its tenth day the last one too."""
    periods = ["current", "last"] if now.day <= LAST_DAY else ["current"]
    return [
        ExportRequest.parse({"dataset": dataset, CURRENCY.name: currency, PERIOD.name: period})
        for dataset in datasets
        for currency in currencies
        for period in periods
    ]
