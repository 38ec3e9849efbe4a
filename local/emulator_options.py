"""Which options say what an emulator is like? The same for every command that serves one."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional, TypeVar

import typer

from catalog.datasets import CURRENCY, INVOICE, Field
from local.emulator import EmulatorOptions, Event, read_difference

MONTHS = 24
"""How far the emulated partner's invoices go back, where no one says which ones exist."""

_MOST_MONTHS = 60
_MOST_SECONDS = 365 * 24 * 3600

T = TypeVar("T")
_DEFAULTS = EmulatorOptions()


@dataclass(frozen=True)
class Chosen:
    """An emulator as the command line describes it: `azurite` is a connection string, `faults` a fault script."""

    options: EmulatorOptions
    azurite: str | None
    faults: Path | None


def with_emulator_options(defaults: EmulatorOptions) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command whose first parameter is `Chosen` the options that it is made of, beside its own."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command).parameters.values()
        shared = [_with_default(option, defaults) for option in inspect.signature(_chosen).parameters.values()]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            command(_chosen(**{option.name: given.pop(option.name) for option in shared}), **given)

        # Typer reads both.
        options = [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in (*own, *shared)]
        with_options.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        with_options.__annotations__ = {option.name: option.annotation for option in options}
        return with_options

    return decorate


def _with_default(option: inspect.Parameter, defaults: EmulatorOptions) -> inspect.Parameter:
    """What is None means something else than a default of the emulator's."""
    return option if option.default is None else option.replace(default=getattr(defaults, option.name))


def _chosen(
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = _DEFAULTS.seed,
    blobs: Annotated[int, typer.Option(min=0, help="Blobs per export.")] = _DEFAULTS.blobs,
    rows: Annotated[int, typer.Option(min=0, help="Line items per blob.")] = _DEFAULTS.rows,
    customers: Annotated[int, typer.Option(min=1, help="Customers on the bill.")] = _DEFAULTS.customers,
    invoice: Annotated[Optional[list[str]], typer.Option(help="Invoice that exists; may be repeated.")] = None,  # noqa: UP045
    currency: Annotated[Optional[list[str]], typer.Option(help="Currency of unbilled data; may be repeated.")] = None,  # noqa: UP045
    months: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, max=_MOST_MONTHS, help=f"Closed months that have invoices: {MONTHS}, or 0 with --invoice."),
    ] = None,
    event: Annotated[list[str] | None, typer.Option(help="Event in a month, e.g. correction=2026-10.")] = None,
    plant: Annotated[Optional[list[str]], typer.Option(help="Planted difference, e.g. hidden-line.")] = None,  # noqa: UP045
    running_polls: Annotated[int, typer.Option(min=0, help="Polls until success.")] = _DEFAULTS.running_polls,
    retry_after: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(min=0, max=_MOST_SECONDS, help="Retry-After in seconds."),
    ] = None,
    linked_manifest: Annotated[bool, typer.Option(help="Link the manifest instead of embedding it.")] = False,
    sas_seconds: Annotated[
        float, typer.Option(min=1, max=_MOST_SECONDS, help="Seconds until a SAS token expires.")
    ] = _DEFAULTS.sas_seconds,
    token: Annotated[str, typer.Option(help="The bearer token that callers must send.")] = _DEFAULTS.token,
    azurite: Annotated[Optional[str], typer.Option(help="Connection string: put the blobs there.")] = None,  # noqa: UP045
    faults: Annotated[Optional[Path], typer.Option(help="Fault script (docs/emulator.md).")] = None,  # noqa: UP045
) -> Chosen:
    if months is None:
        months = 0 if invoice else MONTHS
    options = EmulatorOptions(
        seed=seed,
        token=token,
        blobs=blobs,
        rows=rows,
        customers=customers,
        running_polls=running_polls,
        retry_after=retry_after,
        linked_manifest=linked_manifest,
        sas_seconds=sas_seconds,
        invoices=_read(_value_of(INVOICE), invoice) or _DEFAULTS.invoices,
        currencies=_read(_value_of(CURRENCY), currency) or _DEFAULTS.currencies,
        months=months,
        events=_read(Event.read, event),
        differences=_read(read_difference, plant),
    )
    return Chosen(options, azurite, faults)


def _value_of(field: Field) -> Callable[[str], str]:
    """Reads what an export could be about."""

    def read(text: str) -> str:
        if not re.fullmatch(field.pattern, text):
            raise ValueError(f"'{text}' cannot be exported. {field.rule}")
        return text

    return read


def _read(read: Callable[[str], T], texts: list[str] | None) -> tuple[T, ...]:
    try:
        return tuple(map(read, texts or ()))
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None
