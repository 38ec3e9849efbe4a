"""The commands of `python -m local`: servers that run until they are stopped, and exports that end by themselves."""

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from clients.process import clients, close_clients
from failures import IdentityFailure, LandingFailure
from local import report, watching
from local.configuration import require_settings, use_emulator
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions, read_script
from local.emulator_options import Chosen
from local.engine import Options, Versions
from local.extension import MicrosoftExtension
from local.host import DurableExtension, Host, LocalExtension
from local.serving import listen, serving, url_of

console = Console()
HOST_JSON = Path(__file__).parent.parent / "host.json"

_TIED = ("billedReconciliation", "billedUsage")


class CannotServe(Exception):
    """What was asked for on the command line cannot be had, such as a port that another program has."""


async def serve_host(port: int, state: Path | None) -> None:
    """Serves the app's functions until it is cancelled."""
    await _serve_host(port, _local(state), str(state or "in memory"))


async def serve_host_on_extension(port: int, program: Path) -> None:
    """Serves the app's functions on Microsoft's Durable extension until it is cancelled.

    Raises:
        ExtensionUnusable: when the extension cannot be started, or ends by itself.
    """
    extension = MicrosoftExtension(program, HOST_JSON.parent, os.environ)
    await _serve_host(port, extension, "in the storage account of AzureWebJobsStorage")


async def _serve_host(port: int, extension: DurableExtension, state: str) -> None:
    async with _host(_bound(port), extension, timers=True) as host:
        console.print(f"Functions: {host.url}/api/exports", highlight=False)
        console.print(f"Durable state: {state}", highlight=False)
        await _for_ever()


async def serve_emulator(port: int, chosen: Chosen) -> None:
    """Serves the emulator until it is cancelled.

    Raises:
        InvalidScript: when the fault script cannot be used.
    """
    async with _chosen_emulator(chosen, _bound(port)) as url:
        console.print(f"Partner billing API: {url}/v1.0  (bearer token: {chosen.options.token})", highlight=False)
        await _for_ever()


async def serve_both(emulator_port: int, host_port: int, landing: Path, chosen: Chosen) -> None:
    """Serves emulator and host, one pointed at the other, until it is cancelled."""
    async with _chosen_emulator(chosen, _bound(emulator_port, "--emulator-port")) as url:
        use_emulator(url, landing, chosen.options.token)
        async with _host(_bound(host_port, "--host-port"), _local(None), timers=True) as host:
            console.print(f"Partner billing API: {url}/v1.0", highlight=False)
            console.print(f"Functions: {host.url}/api/exports, landing in {landing}/", highlight=False)
            console.print("Try:", highlight=False)
            invoice_id = chosen.options.invoices[0]
            body = f'{{"invoiceId": "{invoice_id}"}}'
            console.print(f"  curl -i {host.url}/api/exports -d '{body}'", soft_wrap=True, highlight=False)
            console.print(
                f"  curl {host.url}/api/exports/billedUsage-{invoice_id}-full", soft_wrap=True, highlight=False
            )
            await _for_ever()


async def demonstrate(landing: Path, options: EmulatorOptions) -> bool:
    """Exports an invoice of the emulator, its usage and its lines, and shows what landed; whether it adds up."""
    invoice_id = options.invoices[0]
    async with _emulator(listen(), Emulator(options)) as url:
        use_emulator(url, landing, options.token)
        async with _host(listen(), _local(None), timers=False) as host:
            bodies = [{"invoiceId": invoice_id, "dataset": name} for name in _TIED]
            results = await _exported(host.url, bodies)
            if results is None:
                return False
            invoice = await _invoice(url, options.token, invoice_id)
            zone = (await clients()).zone
            lines, usage = (result["location"] for result in results)
            month = await report.month_sum(zone, await report.read_back(zone, usage), lines)
            report.show_month(month, invoice_id, invoice["totalCharges"], invoice["currencyCode"], console)
            await _show_result(results[-1])
            agrees = _show_table(results[-1].get("table"), landing, invoice)
            return agrees and month.agrees(invoice["totalCharges"])


async def export(body: dict[str, str], state: Path | None) -> bool:
    """Runs one export with this machine's settings and shows its end; whether it succeeded."""
    async with _host(listen(), _local(state), timers=False) as host:
        results = await _exported(host.url, [body])
        if results is None:
            return False
        await _show_result(results[0])
        return True


async def _exported(host_url: str, bodies: list[dict[str, str]]) -> list[dict[str, Any]] | None:
    """The results of these exports, one after the other; None, and a message, at the first that does not succeed."""
    results = []
    for body in bodies:
        status = await watching.export(host_url, body, console)
        if status["state"] != "succeeded":
            watching.report_failure(status, console)
            return None
        results.append(status["result"])
    return results


async def _invoice(emulator_url: str, token: str, invoice_id: str) -> dict[str, Any]:
    bearer = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=emulator_url, headers=bearer, trust_env=False) as http:
        answer = await http.get("/v1/invoices")
    items = json.loads(answer.content.decode("utf-8-sig"), parse_float=Decimal)["items"]
    return next(item for item in items if item["id"] == invoice_id)


async def _show_result(result: dict[str, str]) -> None:
    if result["unchanged"]:
        console.print("The data is unchanged since the last export: nothing was copied.")
    try:
        contents = await report.read_back((await clients()).zone, result["location"])
    except (IdentityFailure, LandingFailure, report.CannotSumUp) as fault:
        console.print("The export has landed, whole.", highlight=False)
        console.print(str(fault), highlight=False, markup=False, soft_wrap=True)
        report.show_location(report.folder_of(result["location"]), console)
    else:
        report.show(contents, console)


def _show_table(table: dict[str, Any] | None, landing: Path, invoice: dict[str, Any]) -> bool:
    """Whether the table that an export ended with comes to the invoice's total, if one was made at all."""
    if table is None:
        return True
    if table["state"] == "failed":
        console.print(f"There is no FOCUS table: {table['error']}", markup=False, highlight=False, soft_wrap=True)
        return False
    return report.show_table(landing, invoice["id"], invoice["totalCharges"], invoice["currencyCode"], console)


def _local(state: Path | None) -> LocalExtension:
    host_json = json.loads(HOST_JSON.read_text(encoding="utf-8"))
    return LocalExtension(state, Options(Versions.read(host_json)))


@contextlib.asynccontextmanager
async def _host(bound: socket.socket, extension: DurableExtension, *, timers: bool) -> AsyncIterator[Host]:
    require_settings(console)
    # Imported only now: a wrong setting is said before anything is loaded.
    import function_app

    host = Host(function_app.app, bound, extension, os.environ if timers else None)
    try:
        async with host.running():
            yield host
    finally:
        await close_clients()


@contextlib.asynccontextmanager
async def _azurite(connection_string: str | None) -> AsyncIterator[AzuriteBlobs | None]:
    try:
        blobs = AzuriteBlobs(connection_string) if connection_string else None
    except (ValueError, KeyError):
        raise CannotServe("--azurite must be the connection string of a storage account, with its key.") from None
    try:
        yield blobs
    finally:
        if blobs:
            await blobs.close()


@contextlib.asynccontextmanager
async def _chosen_emulator(chosen: Chosen, bound: socket.socket) -> AsyncIterator[str]:
    script = read_script(chosen.faults) if chosen.faults else ()
    async with (
        _azurite(chosen.azurite) as blobs,
        _emulator(bound, Emulator(chosen.options, blobs=blobs, faults=script)) as url,
    ):
        yield url


@contextlib.asynccontextmanager
async def _emulator(bound: socket.socket, emulator: Emulator) -> AsyncIterator[str]:
    async with serving(emulator.app, [bound]):
        yield url_of(bound)


def _bound(port: int, option: str = "--port") -> socket.socket:
    try:
        return listen(port)
    except OSError as fault:
        why = "is in use" if fault.errno == errno.EADDRINUSE else f"cannot be served on ({fault.strerror})"
        raise CannotServe(f"Port {port} {why}: choose another one with {option}.") from fault


async def _for_ever() -> None:
    await asyncio.Event().wait()
