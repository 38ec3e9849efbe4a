"""The commands as a person types them."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.open_files import LEAST
from local.running import PATIENCE, beside, environment, host
from local.serving import listen
from tests.e2e.conftest import World
from tests.landing.scripted_server import answering


def _local(
    folder: Path, *arguments: str, settings: dict[str, str] | None = None, before: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Runs it to its end, after what the shell does `before`."""
    return subprocess.run(
        ["/bin/sh", "-c", f'{before}\nexec "$0" -m local "$@"', sys.executable, *arguments],
        cwd=folder,
        env=environment(settings or {}),
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )


@pytest.mark.timeout(180)
def test_the_demo_shows_what_landed(tmp_path: Path) -> None:
    """`demo` needs no settings, exports into landed/, and prints the month's sum, which is the invoice's total.

    A proxy that the environment names is asked for nothing: it could reach nothing here, and would be sent the token.
    Nor does the webhook of local.settings.json hear of invented exports.
    """
    proxy = answering(status="502 Bad Gateway")
    with beside(proxy.running()):
        real = json.dumps({"Values": {"NOTIFY_WEBHOOK_URL": f"{proxy.url}/hook"}})
        (tmp_path / "local.settings.json").write_text(real)
        names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY")
        shown = _local(tmp_path, "demo", settings=dict.fromkeys(names, proxy.url))
    assert shown.returncode == 0, shown.stderr
    assert proxy.requests == []
    assert "Cost by customer" in shown.stdout
    assert "24 blobs, 19,200 rows" in shown.stdout
    landed, invoice = re.findall(r"(?:Sum of what landed|in Partner Center) +│ +([0-9,.]+) │", shown.stdout)
    assert landed == invoice
    assert "All agree" in shown.stdout
    *_, location, table = shown.stdout.strip().splitlines()
    assert table.startswith(f"FOCUS table: {landed} EUR, which is the invoice's total. Open it: {sys.executable} -c ")
    folder = Path(location.strip())
    assert (folder / "_latest.json").exists()
    assert folder.is_relative_to(tmp_path / "landed")


def test_export_exits_0_when_it_succeeded_and_1_when_it_failed(world: World, tmp_path: Path) -> None:
    """`export` tells a script how it ended, and a person why."""
    succeeded = _local(tmp_path, "export", "G016907411", settings=world.settings)
    failed = _local(tmp_path, "export", "G000000042", settings=world.settings)
    refused = _local(tmp_path, "export", "nonsense", settings=world.settings)
    assert succeeded.returncode == 0, succeeded.stdout + succeeded.stderr
    assert "6 blobs, 120 rows" in succeeded.stdout
    assert (failed.returncode, refused.returncode) == (1, 1)
    assert "5000" in failed.stdout
    assert "No data available" in failed.stdout
    assert "invoiceId" in refused.stdout


def test_a_host_without_settings_says_all_that_is_wrong(tmp_path: Path) -> None:
    """Every fault of the settings is listed at once, schedules included, and the exit code is 2."""
    settings = {"COPY_BATCH_SIZE": "none", "GRAPH_BASE_URL": "ftp://x", "EXPORT_SCHEDULE": "0 0 6 L * *"}
    ended = _local(tmp_path, "host", "--port", "0", settings=settings)
    assert ended.returncode == 2
    assert all(name in ended.stdout for name in ("LANDING_URL", *settings))
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [("host", "--port", "0"), ("emulator", "--port", "0"), ("export", "G016907411")])
@pytest.mark.parametrize("files", [14, 20, 30])
def test_too_few_open_files_end_a_command_with_a_sentence(tmp_path: Path, command: tuple[str, ...], files: int) -> None:
    """With fewer, connections fail one after the other, and servers wait for one to be free again."""
    ended = _local(tmp_path, *command, settings={"LANDING_URL": tmp_path.as_uri()}, before=f"ulimit -n {files}")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert (
        ended.stdout
        == f"Only {files} files may be open at once, and {LEAST} are needed: raise the limit (ulimit -n).\n"
    )


def test_the_limit_of_open_files_is_raised_where_the_system_lets_it(world: World, tmp_path: Path) -> None:
    """A shell's own, lower one is the usual reason."""
    ended = _local(tmp_path, "export", "G016907411", settings=world.settings, before="ulimit -S -n 20")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    """`--help` lists the commands, and each has help of its own."""
    listed = _local(tmp_path, "--help").stdout
    assert all(command in listed for command in ("host", "emulator", "demo", "run", "export", "table"))


def test_settings_are_read_from_local_settings_json(world: World, tmp_path: Path) -> None:
    """What Core Tools would read is read here too, but for what the environment says."""
    import json

    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": world.settings | {"LANDING_URL": "nonsense"}}))
    ended = _local(tmp_path, "export", "G016907411", settings={"LANDING_URL": world.landing.as_uri()})
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A port that another program has is no traceback."""
    with listen() as taken:
        taken.listen()
        ended = _local(tmp_path, "emulator", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "is in use" in ended.stdout


@pytest.mark.parametrize("option", ["--host-port", "--emulator-port"])
def test_a_taken_port_of_run_names_its_option(tmp_path: Path, option: str) -> None:
    """`run` has two ports, and no `--port`."""
    with listen() as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"--host-port": "0", "--emulator-port": "0"} | {option: port}
        ended = _local(tmp_path, "run", *(word for pair in ports.items() for word in pair))
    assert ended.returncode == 2
    assert ended.stdout.splitlines()[-1] == f"Port {port} is in use: choose another one with {option}."
    assert "Traceback" not in ended.stderr


def test_a_server_that_is_told_to_end_says_so(tmp_path: Path) -> None:
    """One sentence, no traceback, and exit code 0: servers end like that."""
    command = [sys.executable, "-m", "local", "emulator", "--port", "0"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment({}), **pipes) as server:
        assert server.stdout
        server.stdout.readline()
        server.send_signal(signal.SIGINT)
        out, errors = server.communicate(timeout=PATIENCE)
    assert (server.returncode, out) == (0, "Ending in good order; Ctrl-C once more ends it at once.\n")
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["emulator", "--port", "0", "--azurite", "nonsense"], "--azurite must be the connection string"),
        (["demo"], "landed cannot be made (File exists)"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """And is no traceback."""
    (tmp_path / "landed").write_text("in the way")
    ended = _local(tmp_path, *arguments)
    assert ended.returncode == 2
    assert sentence in ended.stdout
    assert "Traceback" not in ended.stderr


def test_a_log_level_that_there_is_not(tmp_path: Path) -> None:
    """The message names those that there are."""
    ended = _local(tmp_path, "emulator", "--log-level", "loud")
    assert ended.returncode == 2
    assert "'loud'" in ended.stderr
    assert "warning" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_cannot_be_summed_up_has_landed_all_the_same(world: World, tmp_path: Path) -> None:
    """`export` has succeeded, and says so and where to look."""
    world.emulator.use_data("G016907411", {"part-0.json.gz": b"not packed"}, e_tag="other")
    ended = _local(tmp_path, "export", "G016907411", settings=world.settings)
    assert ended.returncode == 0, ended.stderr
    assert "part-0.json.gz cannot be summed up" in ended.stdout
    assert ended.stdout.splitlines()[-1].strip() == str(world.export_folder)
    assert "Traceback" not in ended.stderr


def test_a_second_host_on_the_same_state_is_refused(world: World, tmp_path: Path) -> None:
    """It says so in a sentence, and the first one works on."""
    state = tmp_path / "state.sqlite"
    with host(world.settings, tmp_path, state) as first:
        second = _local(tmp_path, "host", "--port", "0", "--state", str(state), settings=world.settings)
        assert second.returncode == 2
        assert second.stdout == f"Another host works on {state}: end it, or give another file with --state.\n"
        assert "Traceback" not in second.stderr
        assert first.export()["state"] == "succeeded"


def test_a_broken_fault_script_is_refused_whole(tmp_path: Path) -> None:
    """`emulator --faults` lists every mistake of the file in one message, and does not start."""
    (tmp_path / "faults.json").write_text('[{"request": "blob"}, {"request": "blobs", "delay": 1}]')
    refused = _local(tmp_path, "emulator", "--port", "0", "--faults", "faults.json")
    assert refused.returncode == 2
    assert "faults.json cannot be used" in refused.stdout
    assert "Fault 1: A fault needs an effect" in refused.stdout
    assert "Fault 2: request must be one of" in refused.stdout


def test_what_a_pipe_cannot_encode_is_no_traceback(tmp_path: Path) -> None:
    """Customers' names are of any script, and not every system writes UTF-8 to a pipe."""
    (tmp_path / "日本.json").write_text("{}")
    refused = _local(tmp_path, "emulator", "--faults", "日本.json", settings={"PYTHONIOENCODING": "ascii"})
    assert "??.json cannot be used" in refused.stdout
    assert "Traceback" not in refused.stderr


def test_an_extension_that_cannot_be_started_is_one_sentence(world: World, tmp_path: Path) -> None:
    """With how to get it, or what to set; and the exit code is 2."""
    host_on = ("host", "--port", "0", "--durable-extension")
    nowhere = _local(tmp_path, *host_on, "nowhere", settings=world.settings)
    without_storage = _local(tmp_path, *host_on, sys.executable, settings=world.settings)
    assert (nowhere.returncode, without_storage.returncode) == (2, 2)
    assert nowhere.stdout == f"{tmp_path / 'nowhere'} is no program: `make extension` gets the Durable extension.\n"
    assert without_storage.stdout == "AzureWebJobsStorage is required: the Durable extension keeps its state there.\n"


def test_an_extension_takes_no_state_file(world: World, tmp_path: Path) -> None:
    """Its state lies in the storage account, and who gave a file should know."""
    options = ("--durable-extension", sys.executable, "--state", "state.sqlite")
    refused = _local(tmp_path, "host", "--port", "0", *options, settings=world.settings)
    assert refused.returncode == 2
    assert "AzureWebJobsStorage" in refused.stderr
    assert not (tmp_path / "state.sqlite").exists()
