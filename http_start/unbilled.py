"""Starts the exports of what is not billed yet."""

import logging
from datetime import datetime

from azure.durable_functions import DurableOrchestrationClient

from catalog.datasets import PERIOD
from catalog.unbilled import unbilled_requests
from http_start import exports
from http_start.answers import Refused
from settings import Settings

log = logging.getLogger(__name__)


async def begin(client: DurableOrchestrationClient, settings: Settings, now: datetime) -> list[str]:
    """The ids of the exports that run now: those that ran already, and those that begin. One may still be cancelled.

    Raises:
        ExceptionGroup: of what kept some from starting, when all others have.
    """
    running, faults = [], []
    for request in unbilled_requests(settings.unbilled_datasets, settings.unbilled_currencies or (), now):
        try:
            # A month that has just begun has no data, and that is no news.
            is_news = request.values[PERIOD.name] != "current"
            status = await exports.start(client, request, settings, now, tells_no_data=is_news)
            running.append(status["id"])
        except Refused as refused:
            log.warning("%s is left out this time: %s", request.export_id, refused)
        except Exception as fault:
            faults.append(fault)
    if faults:
        raise ExceptionGroup("Some exports could not be started.", faults)
    return running
