"""The options of the commands that serve an emulator."""

import inspect
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from local.__main__ import DEMO, emulator, run
from local.emulator_options import Chosen, with_emulator_options

OWN = {"port", "host_port", "emulator_port", "log_level"}


def invoked(*options: str) -> tuple[list[tuple[Chosen, int]], Result]:
    """What a command that serves the demo's data is given with these options, and how it ends."""
    given: list[tuple[Chosen, int]] = []
    app = typer.Typer()

    @app.command()
    @with_emulator_options(DEMO)
    def serve(chosen: Chosen, own: int = 0) -> None:
        given.append((chosen, own))

    return given, CliRunner().invoke(app, ["--own", "7", *options], env={"COLUMNS": "200"})


def chosen(*options: str) -> Chosen:
    """The same of options that are taken."""
    given, result = invoked(*options)
    assert result.exit_code == 0, result.output
    ((one, own),) = given
    assert own == 7
    return one


def test_run_takes_all_options_of_the_emulator() -> None:
    """Faults included; only its ports are its own."""
    of_emulator, of_run = (set(inspect.signature(command).parameters) for command in (emulator, run))
    assert of_emulator - OWN == of_run - OWN
    assert "faults" in of_run


def test_run_serves_the_demos_data() -> None:
    """So both show the same for the same invoice."""
    defaults = {name: option.default for name, option in inspect.signature(run).parameters.items()}
    assert (defaults["blobs"], defaults["rows"], defaults["running_polls"]) == (24, 800, 3)
    assert chosen().options == DEMO


def test_options_reach_the_emulator() -> None:
    """Each as it is given; invoices of one's own are the only ones."""
    given = chosen("--invoice", "G000000001", "--rows", "3", "--faults", "f.json", "--token", "mine")
    assert (given.options.invoices, given.options.months) == (("G000000001",), 0)
    assert (given.options.rows, given.options.token, given.faults) == (3, "mine", Path("f.json"))


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--currency", "eur", "'eur' cannot be exported"),
        ("--invoice", "xx", "'xx' cannot be exported"),
        ("--months", "100000", "--months"),
        ("--retry-after", "inf", "--retry-after"),
        ("--sas-seconds", "1e300", "--sas-seconds"),
        ("--sas-seconds", "nan", "--sas-seconds"),
    ],
)
def test_a_value_that_cannot_be_served_is_refused(option: str, value: str, reason: str) -> None:
    """At once, not by the first request that meets it."""
    given, result = invoked(option, value)
    assert (given, result.exit_code) == ([], 2)
    assert reason in result.output
