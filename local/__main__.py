"""`python -m local`: the app without Azure."""

import contextlib
import enum
import io
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, Optional, TypeVar

import typer

from catalog.datasets import DATASETS
from failures import TableFailure
from local import commands, ending
from local.configuration import DEMO_LANDING, EMULATOR_PORT, HOST_PORT, log_to_stderr
from local.emulator import EmulatorOptions, InvalidScript
from local.emulator_options import MONTHS, Chosen, with_emulator_options
from local.engine import StateUnusable
from local.extension import ExtensionUnusable
from local.open_files import TooFewOpenFiles, require_open_files
from local.tabulating import NothingLanded, Unwritable, make_table
from settings import SettingsError

T = TypeVar("T")
app = typer.Typer(
    help="Billed Usage Export without Azure: host, emulator, demo and single exports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
DEFAULTS = EmulatorOptions()
DEMO = EmulatorOptions(blobs=24, rows=800, running_polls=3, months=MONTHS)

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of 127.0.0.1 to serve on; 0 takes a free one.")]
State = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads no unions
    typer.Option(help="SQLite file for the durable state, from which a killed host continues. Default: in memory."),
]


class Level(enum.StrEnum):
    """What is logged to stderr: this and what weighs more."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LogLevel = Annotated[Level, typer.Option(help="Level of the log on stderr.", case_sensitive=False)]


@app.command()
def host(
    port: Port = HOST_PORT,
    state: State = None,
    durable_extension: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="PROGRAM", help="Run on Microsoft's Durable extension, which `make extension` gets."),
    ] = None,
    log_level: LogLevel = Level.INFO,
) -> None:
    """Serve the function app, with the settings of the environment or of local.settings.json."""
    log_to_stderr(log_level)
    if durable_extension is None:
        _serve(commands.serve_host(port, state))
    elif state is None:
        _serve(commands.serve_host_on_extension(port, durable_extension))
    else:
        raise typer.BadParameter("The Durable extension keeps its state in AzureWebJobsStorage.", param_hint="--state")


@app.command()
@with_emulator_options(DEFAULTS)
def emulator(chosen: Chosen, port: Port = EMULATOR_PORT, log_level: LogLevel = Level.INFO) -> None:
    """Serve the partner billing API with invented data."""
    log_to_stderr(log_level)
    _serve(commands.serve_emulator(port, chosen))


@app.command()
@with_emulator_options(DEMO)
def run(
    chosen: Chosen,
    host_port: Port = HOST_PORT,
    emulator_port: Port = EMULATOR_PORT,
    log_level: LogLevel = Level.INFO,
) -> None:
    """Serve emulator and host together, to try the calls with curl; exports land in landed/."""
    log_to_stderr(log_level)
    _serve(commands.serve_both(emulator_port, host_port, DEMO_LANDING, chosen))


@app.command()
def demo(log_level: LogLevel = Level.WARNING) -> None:
    """Export an invoice of the emulator into landed/ and show what landed, and that it adds up."""
    log_to_stderr(log_level)
    _exit_after(commands.demonstrate(DEMO_LANDING, DEMO))


@app.command()
def export(
    invoice_id: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Id of a new-commerce invoice, e.g. G016907411; unbilled data has none."),
    ] = None,
    dataset: Annotated[str, typer.Option(help=f"One of {', '.join(DATASETS)}.")] = "billedUsage",
    attribute_set: Annotated[Optional[str], typer.Option(help="full or basic.")] = None,  # noqa: UP045
    currency: Annotated[Optional[str], typer.Option(help="Currency of unbilled data, e.g. USD.")] = None,  # noqa: UP045
    period: Annotated[Optional[str], typer.Option(help="Of unbilled data: current or last.")] = None,  # noqa: UP045
    state: State = None,
    log_level: LogLevel = Level.WARNING,
) -> None:
    """Run one export with the current settings, also on a real tenant. Exits with 0 if it succeeded, else with 1."""
    log_to_stderr(log_level)
    given = {
        "dataset": dataset,
        "invoiceId": invoice_id,
        "attributeSet": attribute_set,
        "currencyCode": currency,
        "billingPeriod": period,
    }
    body = {name: value for name, value in given.items() if value is not None}
    _exit_after(commands.export(body, state))


@app.command()
def table(
    what: Annotated[str, typer.Argument(metavar="FOLDER|INVOICE", help="An invoice, or a landing folder with one.")],
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="Parquet, or CSV if it ends in .csv; else INVOICE.parquet."),
    ] = None,
    without_usage: Annotated[
        bool, typer.Option("--without-usage", help="The invoice has no daily usage, as one for licences only.")
    ] = False,
) -> None:
    """Make the FOCUS table of an invoice that has landed in a folder, and say what it comes to."""
    try:
        make_table(what, output, commands.console, is_without_usage=without_usage)
    except (NothingLanded, SettingsError, TableFailure, Unwritable) as refused:
        _say_refusal(refused)
        raise typer.Exit(1) from None


def _serve(command: Coroutine[Any, Any, None]) -> None:
    """Being told to end is how a server ends."""
    with contextlib.suppress(ending.ToldToEnd):
        _run(command)


def _exit_after(command: Coroutine[Any, Any, bool]) -> NoReturn:
    """Exits 0 when the command succeeded, 1 when it did not, and as shells do when it was told to end."""
    try:
        succeeded = _run(command)
    except ending.ToldToEnd as told:
        raise typer.Exit(128 + told.number) from None
    raise typer.Exit(0 if succeeded else 1)


def _run(command: Coroutine[Any, Any, T]) -> T:
    try:
        require_open_files()
        return ending.run(command, _say_that_it_ends)
    except TooFewOpenFiles as refused:
        command.close()
        _say_refusal(refused)
        raise typer.Exit(1) from None
    except (commands.CannotServe, ExtensionUnusable, InvalidScript, SettingsError, StateUnusable) as refused:
        _say_refusal(refused)
        raise typer.Exit(2) from None


def _say_refusal(refused: Exception) -> None:
    commands.console.print(str(refused), style="bold red", markup=False, highlight=False, soft_wrap=True)


def _say_that_it_ends() -> None:
    commands.console.print("Ending in good order; Ctrl-C once more ends it at once.", highlight=False)


if __name__ == "__main__":
    # Customers' names are of any script, and a pipe's encoding may lack it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    app(prog_name="python -m local")
