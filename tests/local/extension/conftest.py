"""Programs in the place of the extension's own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Written = Callable[[str], Path]

ENVIRONMENT = {"PATH": os.environ["PATH"]}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a program, in Python; where it is."""

    def write(source: str) -> Path:
        program = tmp_path / "program"
        program.write_text(f"#!{sys.executable} -uS\n{source}")
        program.chmod(0o755)
        return program

    return write
