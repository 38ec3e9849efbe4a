"""The commands of `python -m local`: servers that run until they are stopped, and exports that end by themselves."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from clients.process import clients, close_clients
from local import report, watching
from local.configuration import load_settings, use_emulator
from local.emulator import AzuriteBlobs, Emulator, EmulatorOptions, read_script
from local.engine import Options, Versions
from local.host import Host
from local.serving import listen, serving, url_of

console = Console()
MONTHS = 24
"""How many months the emulated partner's invoices go back, unless the caller names them."""

_TIED = ("billedReconciliation", "billedUsage")


class PortTaken(Exception):
    """Another program listens on the port."""


async def serve_host(port: int, state: Path | None) -> None:
    """Serves the app's functions until the process is stopped."""
    async with _host(_bound(port), state, timers=True) as host:
        console.print(f"Functions: {host.url}/api/exports", highlight=False)
        console.print(f"Durable state: {state or 'in memory'}", highlight=False)
        await _told_to_end()


async def serve_emulator(port: int, options: EmulatorOptions, azurite: str | None, faults: Path | None) -> None:
    """Serves the emulator until the process is stopped.

    Raises:
        InvalidScript: when the fault script cannot be used.
    """
    script = read_script(faults) if faults else ()
    blobs = AzuriteBlobs(azurite) if azurite else None
    async with _emulator(_bound(port), Emulator(options, blobs=blobs, faults=script)) as url:
        console.print(f"Partner billing API: {url}/v1.0  (bearer token: {options.token})", highlight=False)
        await _told_to_end()
    if blobs:
        await blobs.close()


async def serve_both(emulator_port: int, host_port: int, landing: Path) -> None:
    """Serves emulator and host, pointed at each other, until the process is stopped."""
    async with _emulator(_bound(emulator_port), Emulator(EmulatorOptions(months=MONTHS))) as url:
        use_emulator(url, landing)
        async with _host(_bound(host_port), None, timers=True) as host:
            console.print(f"Partner billing API: {url}/v1.0", highlight=False)
            console.print(f"Functions: {host.url}/api/exports, landing in {landing}/", highlight=False)
            console.print("Try:", highlight=False)
            body = '{"invoiceId": "G016907411"}'
            console.print(f"  curl -i {host.url}/api/exports -d '{body}'", soft_wrap=True, highlight=False)
            console.print(f"  curl {host.url}/api/exports/billedUsage-G016907411-full", soft_wrap=True, highlight=False)
            await _told_to_end()


async def demonstrate(landing: Path, options: EmulatorOptions) -> bool:
    """Exports an invoice of the emulator, its usage and its lines, and shows what landed; whether it adds up."""
    invoice_id = options.invoices[0]
    async with _emulator(listen(), Emulator(options)) as url:
        use_emulator(url, landing)
        async with _host(listen(), None, timers=False) as host:
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
            return month.agrees(invoice["totalCharges"])


async def export(body: dict[str, str], state: Path | None) -> bool:
    """Runs one export with this machine's settings and shows its end; whether it succeeded."""
    async with _host(listen(), state, timers=False) as host:
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
    report.show(await report.read_back((await clients()).zone, result["location"]), console)


@contextlib.asynccontextmanager
async def _host(bound: socket.socket, state: Path | None, *, timers: bool) -> AsyncIterator[Host]:
    settings = load_settings(console)
    # Imported only now: a wrong setting is said before anything is loaded.
    import function_app

    values = os.environ | {"EXPORT_SCHEDULE": settings.export_schedule}
    host_json = Path(function_app.__file__).with_name("host.json").read_text(encoding="utf-8")
    options = Options(Versions.read(json.loads(host_json)))
    host = Host(function_app.app, bound, state, values if timers else None, options)
    try:
        async with host.running():
            yield host
    finally:
        await close_clients()


@contextlib.asynccontextmanager
async def _emulator(bound: socket.socket, emulator: Emulator) -> AsyncIterator[str]:
    async with serving(emulator.app, [bound]):
        yield url_of(bound)


def _bound(port: int) -> socket.socket:
    try:
        return listen(port)
    except OSError as fault:
        raise PortTaken(f"Port {port} is in use: choose another one with --port.") from fault


async def _told_to_end() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
