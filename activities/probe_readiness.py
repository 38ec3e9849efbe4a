"""Tries out what the app needs, landing zone, Microsoft Graph and Partner Center, without exporting anything."""

import asyncio
from collections.abc import Awaitable

from activities.door import JsonObject, activity
from activities.problems import problem_of
from catalog.months import month_before
from clients.process import Clients, unprepared_clients
from failures import Failure
from landing.rights import prove_rights
from messages.names import PROBE_READINESS


@activity(PROBE_READINESS)
async def probe_readiness(message: JsonObject) -> JsonObject:
    """What is wrong with `landing`, `graph` and `partnerCenter`: to each a problem, or None."""
    using = unprepared_clients()
    trials = {
        "landing": prove_rights(using.zone),
        "graph": using.billing.require_access(),
        "partnerCenter": _list_invoices(using),
    }
    problems = await asyncio.gather(*map(_problem, trials.values()))
    return dict(zip(trials, problems, strict=True))


async def _problem(trial: Awaitable[None]) -> JsonObject | None:
    try:
        await trial
    except Failure as failure:
        return problem_of(failure).to_json()
    return None


async def _list_invoices(using: Clients) -> None:
    await using.invoices.of_month(month_before(using.now()))
