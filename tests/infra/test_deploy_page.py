"""docs/deploy.md is true where it can be checked without Azure: variables, outputs, files, sums."""

import json
import re

from tests.infra.bicep import FILES, INFRA, parsed

PAGE = (INFRA.parent / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_with_its_default() -> None:
    """The table has the variables of the parameters file, but for those that azd itself asks for."""
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    read = [re.fullmatch(r"\$\{([A-Z_]+)(?:=(.*))?\}", parameter["value"]) for parameter in parameters.values()]
    variables = {found[1]: found[2] for found in read if found}
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", PAGE.split("| variable |")[1].split("\n\n")[0], re.MULTILINE)
    assert [name for name, _ in rows] == [name for name in variables if not name.startswith("AZURE_")]
    for name, default in rows:
        assert default == (f"`{variables[name]}`" if variables[name] else default)
        assert variables[name] or default in {"unset", "asked for"}


def test_every_file_is_explained() -> None:
    """The first table has each module."""
    assert set(re.findall(r"^\| `([a-z-]+\.bicep)`", PAGE, re.MULTILINE)) == {*FILES} - {"main.bicep"}


def test_what_the_commands_ask_azd_for_is_there() -> None:
    """Every value that the page reads is an output of the deployment."""
    asked = set(re.findall(r"azd env get-value ([A-Z_]+)", PAGE))
    assert asked
    assert asked <= set(parsed("main.bicep")["outputs"])


def test_the_costs_add_up() -> None:
    """The sum is the rows' sum, and an always-ready instance costs its memory by the seconds of a month."""
    table = PAGE.split("| what | how much |")[1].split("\n\n")[0]
    *rows, total = [float(cost) for cost in re.findall(r"\| \**\$([0-9.]+)\** \|$", table, re.MULTILINE)]
    assert round(sum(rows), 2) == total
    memory = re.findall(r"^\| (512|2048|4096) \| ([0-9,]+) \| \$([0-9.]+) \|$", PAGE, re.MULTILINE)
    assert len(memory) == 3
    for megabytes, seconds, cost in memory:
        assert int(seconds.replace(",", "")) == int(megabytes) / 1024 * 730 * 3600
        assert float(cost) == round(int(seconds.replace(",", "")) * 0.000004, 2)
