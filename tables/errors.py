"""What can be wrong with lines that landed.

    TableFailure
    ├── UnreadableLines     a blob is not what gzip JSON Lines are
    ├── UnknownShape        the lines can be read, but what a table needs is in none of them
    └── InexactEngine       this DuckDB does not read decimals exactly

No message has the content of a line: lines hold customers' names.
"""

from typing import ClassVar


class TableFailure(Exception):
    """No table can be made. `code` and `remedy` are for the person who must act."""

    remedy: ClassVar[str] = "Look at the app's log for the cause."

    def __init__(self, message: str) -> None:
        self.code = type(self).__name__
        self.message = message
        super().__init__(f"{self.code}: {message}")


class UnreadableLines(TableFailure):
    """A blob is cut, altered, or holds something other than lines of JSON objects."""

    remedy = "Export the invoice again; if the same line is wrong again, tell Microsoft's support blob and line."


class UnknownShape(TableFailure):
    """An attribute that a table cannot do without is in no line."""

    remedy = "Compare the keys that the message names with Microsoft's documentation: an attribute may have a new name."


class InexactEngine(TableFailure):
    """DuckDB reads decimals through binary fractions."""

    remedy = "Install the version of duckdb that requirements.txt names: 2.0.0 and older lose digits."
