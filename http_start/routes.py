"""The HTTP calls: each parses, delegates and answers."""

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.durable_functions import DurableOrchestrationClient

from http_start import cancelling, exports, monthly, parsing, readiness, tables
from http_start.answers import answer, answers_problems
from http_start.blueprint import blueprint
from settings import configured

DESCRIPTION = Path(__file__).parent / "openapi.json"

RETRY_AFTER = {"Retry-After": "10"}
"""Seconds after which callers may ask again."""


def _accepted(req: func.HttpRequest, status: dict[str, Any], collection: str = "exports") -> func.HttpResponse:
    location = parsing.location(req, status["id"], collection)
    return answer(status, HTTPStatus.ACCEPTED, {"Location": location} | RETRY_AFTER)


@blueprint.route(route="exports", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def post_export(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """Starts an export, or finds the one that is running: 202 with its status."""
    request = parsing.export_request(req)
    return _accepted(req, await exports.start(client, request, configured(), datetime.now(UTC)))


@blueprint.route(route="exports/monthly", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def post_months(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """Starts the exports of months, or finds the run that does, and has a month look: 202 with its status."""
    now = datetime.now(UTC)
    return _accepted(req, await monthly.start_or_look(client, parsing.months(req, now), configured(), now))


@blueprint.route(route="exports", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def list_exports(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """The exports started since `since`, newest first."""
    now = datetime.now(UTC)
    return answer(await exports.started_since(client, parsing.since(req, now), now))


@blueprint.route(route="exports/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_export(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """One export's status: 202 until it has ended."""
    status = await exports.find(client, parsing.subject_id(req), datetime.now(UTC))
    return answer(status) if status["endedAt"] else _accepted(req, status)


@blueprint.route(route="tables", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def post_tables(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """Makes the table of an invoice, or those of a month, from what has landed: 202 with the run's status."""
    request = parsing.tables_request(req)
    return _accepted(req, await tables.start(client, request, configured(), datetime.now(UTC)), "tables")


@blueprint.route(route="tables", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_tables(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """The tables of a billing month, and what each comes to."""
    month = parsing.month(req)
    configured()
    return answer(await tables.of_month(client, month))


@blueprint.route(route="tables/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_table(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """The status of what makes a table: 202 until it has ended."""
    status = await tables.find(client, parsing.table_id(req))
    return answer(status) if status["endedAt"] else _accepted(req, status, "tables")


@blueprint.route(route="readiness", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def get_readiness(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """What keeps the app from its work, each thing with its remedy."""
    configured()
    return answer(await readiness.tried_out(client))


@blueprint.route(route="openapi.json", methods=["GET"])
async def get_description(req: func.HttpRequest) -> func.HttpResponse:
    """The calls, described in OpenAPI 3.1."""
    return func.HttpResponse(DESCRIPTION.read_bytes(), mimetype="application/json")


@blueprint.route(route="exports/{id}", methods=["DELETE"])
@blueprint.durable_client_input(client_name="client")
@answers_problems
async def delete_export(req: func.HttpRequest, client: DurableOrchestrationClient) -> func.HttpResponse:
    """Cancels an export, or forgets one that has ended: 202."""
    run_id = parsing.subject_id(req)
    if parsing.forget(req):
        return _accepted(req, await cancelling.forget(client, run_id, datetime.now(UTC)))
    return _accepted(req, await cancelling.cancel(client, run_id))
