"""Reads what a month's tables come to, from what stands beside them."""

import logging
from collections.abc import Mapping
from typing import Any

from activities.door import JsonObject, activity
from activities.tabulating import describes_table, table_result
from clients.process import clients
from failures.text import cleaned
from landing.json_files import json_object
from landing.layout import TABLES, TablePlace, month_partition
from messages.months import InvoicesOrder
from messages.names import READ_TABLES
from messages.tables import TablesAnswer

log = logging.getLogger(__name__)


@activity(READ_TABLES)
async def read_tables(message: JsonObject) -> JsonObject:
    """`TablesAnswer` to an `InvoicesOrder`: without tables whose description somebody has broken."""
    month = InvoicesOrder.from_json(message).month
    zone = (await clients()).zone
    tables = []
    for partner in await zone.folders(TABLES):
        async for landed in zone.list(f"{TABLES}/{partner}/{month_partition(month)}"):
            if landed.path.endswith(".json"):
                described = json_object(await zone.read(landed.path))
                place = TablePlace(partner, month, str(described.get("invoiceId")))
                if describes_table(described) and landed.path == place.description:
                    tables.append(_shown(zone.url, place, described))
                else:
                    log.warning("The file %s describes no table, and is passed over.", cleaned(landed.path, "?"))
    return TablesAnswer(tables).to_json()


def _shown(zone_url: str, place: TablePlace, described: Mapping[str, Any]) -> JsonObject:
    location = f"{zone_url}/{place.glob(len(described['files']))}"
    known = {"invoiceId": place.invoice, "month": place.month, "location": location}
    return {**known, "invoice": described["invoice"], **table_result(described).to_json()}
