"""A partner whose invoices are exported by a host, with a gate that holds single requests to Microsoft."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.emulator import Emulator, EmulatorOptions
from local.running import PATIENCE, Host, beside, host, served, until
from tests.e2e.gates import QUICK
from tests.engines.engine import Engine


@dataclass
class Passage:
    """A request that was answered: its path, and when it came and went (seconds of a monotonic clock)."""

    path: str
    came: float
    went: float = 0.0


@dataclass
class Held:
    """What a gate is told to hold: GET requests, or others, of which the path has this part, after the first few.

    Once one is held, the others of its very path are, too, and no others.
    """

    method: str
    part: str
    after: int
    path: str | None = None
    opened: threading.Event = field(default_factory=threading.Event)

    def holds(self, method: str, path: str) -> bool:
        """Whether this request is held."""
        if method != self.method or (path != self.path if self.path else self.part not in path):
            return False
        self.after -= 1
        if self.after < 0:
            self.path = self.path or path
        return self.path is not None

    def reached(self) -> None:
        """Waits until a request is held."""
        until(lambda: self.path, f"{self.method} {self.part} is held")

    def open(self) -> None:
        """Lets all requests go."""
        self.opened.set()


class SlowPartner:
    """Stands before the emulator: holds requests, and tells callers when to come again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held: list[Held] = []
        self.passages: list[Passage] = []
        self.retry_after: int | None = None

    def hold(self, method: str, part: str, after: int = 0) -> Held:
        """Holds the next request of this kind, after so many, and all of its path, until it is opened."""
        held = Held(method, part, after)
        self._held.append(held)
        return held

    def answers(self, part: str) -> int:
        """How many requests with this in their path have been answered."""
        return sum(part in passage.path for passage in self.passages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        for held in self._held:
            if not held.opened.is_set() and held.holds(scope["method"], scope["path"]):
                await asyncio.to_thread(held.opened.wait, 4 * PATIENCE)
        passage = Passage(scope["path"], time.monotonic())
        await self._app(scope, receive, self._telling(send) if "/operations/" in scope["path"] else send)
        passage.went = time.monotonic()
        self.passages.append(passage)
        return None

    def _telling(self, send: Send) -> Send:
        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and self.retry_after:
                message["headers"] = [*message["headers"], (b"retry-after", str(self.retry_after).encode())]
            await send(message)

        return tell


@dataclass
class Site:
    """A running host, the partner whose data it exports, and the folder that they land in."""

    app: Host
    emulator: Emulator
    partner: SlowPartner
    landing: Path

    def committed(self, invoice_id: str) -> list[Path]:
        """The commit markers of an invoice's exports."""
        return list(self.landing.glob(f"billed_usage/*/invoice_id={invoice_id}/*/*/_SUCCESS"))

    def cancel(self, run_id: str) -> int:
        """Cancels the run; the status of the answer."""
        return self.app.call("DELETE", f"/api/exports/{run_id}").status_code

    def start_month(self, month: str) -> str:
        """Starts the exports of a month; where its status is."""
        answer = self.app.call("POST", "/api/exports/monthly", json={"month": month})
        assert answer.status_code == 202, answer.text
        return urlsplit(answer.headers["Location"]).path


@contextmanager
def settled(engine: Engine, folder: Path, emulator: Emulator) -> Iterator["Settled"]:
    """An emulator beside the test, and a hub on which hosts can be started that export from it."""
    partner = SlowPartner(emulator.app)
    landing = folder / "landing"
    with beside(served(partner)) as url:
        options, settings = engine.host(folder)
        settings = {
            **QUICK,
            "GRAPH_BASE_URL": f"{url}/v1.0",
            "PARTNER_CENTER_BASE_URL": url,
            "LANDING_URL": landing.as_uri(),
            "MONTHLY_DATASETS": "billedUsage",
            "TABLES": "off",
            **settings,
        }
        yield Settled(emulator, partner, landing, folder, settings, options)


@dataclass
class Settled:
    """All that a host needs, whose hub outlives it."""

    emulator: Emulator
    partner: SlowPartner
    landing: Path
    folder: Path
    settings: dict[str, str]
    options: Sequence[str]

    @contextmanager
    def site(self) -> Iterator[Site]:
        """A host that runs."""
        with host(self.settings, self.folder, log_level="info", options=self.options) as app:
            yield Site(app, self.emulator, self.partner, self.landing)


def emulator(**options: int | bool) -> Emulator:
    """Small exports, each of 6 blobs."""
    return Emulator(EmulatorOptions(**({"blobs": 6, "rows": 20, "running_polls": 2} | options)))  # type: ignore[arg-type]
