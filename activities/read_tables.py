"""Reads what a month's tables come to, from what stands beside them."""

from collections.abc import Mapping
from typing import Any

from activities.door import JsonObject, activity
from activities.tabulating import table_result
from clients.process import clients
from landing.json_files import json_object
from landing.layout import TABLES, month_partition
from messages.months import InvoicesOrder
from messages.names import READ_TABLES
from messages.tables import TablesAnswer


@activity(READ_TABLES)
async def read_tables(message: JsonObject) -> JsonObject:
    """`TablesAnswer` to an `InvoicesOrder`."""
    month = InvoicesOrder.from_json(message).month
    zone = (await clients()).zone
    tables = []
    for partner in await zone.folders(TABLES):
        async for landed in zone.list(f"{TABLES}/{partner}/{month_partition(month)}"):
            if landed.path.endswith(".json"):
                described = json_object(await zone.read(landed.path))
                tables.append(_shown(zone.url, landed.path, described))
    return TablesAnswer(tables).to_json()


def _shown(zone_url: str, path: str, described: Mapping[str, Any]) -> JsonObject:
    folder, _, name = path.rpartition("/_")
    location = f"{zone_url}/{folder}/{name.removesuffix('.json')}.parquet"
    known = {"invoiceId": described["invoiceId"], "month": described["month"], "location": location}
    return {**known, "invoice": described["invoice"], **table_result(described).to_json()}
