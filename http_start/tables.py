"""Starts, watches and lists tables."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from azure.durable_functions import DurableOrchestrationClient

from catalog.tables_request import TablesRequest
from http_start.answers import Refused
from http_start.asking import output_of
from http_start.exports import policy, start_run, watched
from http_start.status import whole_second
from messages.names import BUILD_TABLE, BUILD_TABLES, LIST_TABLES
from messages.tables import TableOrder, TablesOrder
from settings import Settings


async def start(
    client: DurableOrchestrationClient, request: TablesRequest, settings: Settings, now: datetime
) -> dict[str, Any]:
    """The status of what makes the tables: the run that is under way, else one that begins now."""
    how, begun = policy(settings), whole_second(now)
    if request.month:
        return await start_run(client, BUILD_TABLES, request.run_id, TablesOrder(request.month, how, begun), now)
    order = TableOrder(str(request.invoice_id), how, begun)
    return await start_run(client, BUILD_TABLE, request.run_id, order, now)


async def find(client: DurableOrchestrationClient, run_id: str) -> dict[str, Any]:
    """The status of what makes, or made, a table.

    Raises:
        Refused: as not found.
    """
    status = await client.get_status(run_id)
    if not status:
        raise Refused(HTTPStatus.NOT_FOUND, "There is no table of this id.")
    return await watched(client, status)


async def of_month(client: DurableOrchestrationClient, month: str) -> list[dict[str, Any]]:
    """The tables of a billing month, with what they come to.

    Raises:
        Refused: as unavailable, when the landing zone cannot be read.
    """
    found: list[dict[str, Any]] = (await output_of(client, LIST_TABLES, "tables-list", {"month": month}))["tables"]
    return found
