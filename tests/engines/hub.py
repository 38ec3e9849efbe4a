"""The durable HTTP API of a task hub, as the SDK's client calls it."""

import json
from datetime import datetime
from typing import Any

import httpx

from local.running import until

CONTINUATION = "x-ms-continuation-token"
ENDED = {"Completed", "Failed", "Terminated"}


class Hub:
    """`http` is a client of the base URL that is in a durable client's binding."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def start(self, name: str, id_: str, input_: Any = None, **query: str) -> httpx.Response:
        """Starts an orchestration; its input is encoded twice, as the SDK does."""
        return self._http.post(f"orchestrators/{name}/{id_}", json=json.dumps(input_), params=query)

    def read(self, id_: str) -> httpx.Response:
        """The instance's status."""
        return self._http.get(f"instances/{id_}")

    def list(self, **query: str) -> httpx.Response:
        """The instances that the query names."""
        return self._http.get("instances/", params=query)

    def page(self, token: str, **query: str) -> httpx.Response:
        """The page of a list that a continuation token leads to; the first one without."""
        return self._http.get("instances/", params=query, headers={CONTINUATION: token} if token else {})

    def tell(self, id_: str, event: str, value: Any = None) -> httpx.Response:
        """Raises an event; its value is encoded twice, as the SDK does."""
        return self._http.post(f"instances/{id_}/raiseEvent/{event}", json=json.dumps(value))

    def tell_text(self, id_: str, event: str, text: str) -> httpx.Response:
        """Raises an event with a value that is no JSON."""
        return self._http.post(
            f"instances/{id_}/raiseEvent/{event}", content=text, headers={"Content-Type": "text/plain"}
        )

    def terminate(self, id_: str, reason: str = "enough") -> httpx.Response:
        """Ends the instance."""
        return self._http.post(f"instances/{id_}/terminate", params={"reason": reason})

    def purge(self, id_: str) -> httpx.Response:
        """Forgets the instance."""
        return self._http.delete(f"instances/{id_}")

    def purge_all(self, **query: str) -> httpx.Response:
        """Forgets the instances that the query names."""
        return self._http.delete("instances/", params=query)

    def ids(self, **query: str) -> set[str]:
        """The ids of the instances that the query names."""
        return {status["instanceId"] for status in self.list(**query).json()}

    def shows(self, id_: str, status: str) -> dict[str, Any]:
        """Waits until the instance has this status; all that is shown of it then."""
        shown: dict[str, Any] = until(lambda: self._if_in(id_, {status}), f"{id_} is {status}")
        return shown

    def says(self, id_: str, custom_status: Any) -> None:
        """Waits until the orchestration has said so, in its custom status."""
        until(lambda: self._shown(id_).get("customStatus") == custom_status, f"{id_} says {custom_status}")

    def ended(self, id_: str) -> dict[str, Any]:
        """Waits until the instance has ended; all that is shown of it then."""
        shown: dict[str, Any] = until(lambda: self._if_in(id_, ENDED), f"{id_} ends")
        return shown

    def output(self, id_: str) -> Any:
        """Waits until the instance has ended well; what it returned."""
        ended = self.ended(id_)
        assert ended["runtimeStatus"] == "Completed", ended
        return ended["output"]

    def run(self, name: str, id_: str, input_: Any = None) -> Any:
        """Starts an orchestration, waits until it has ended well; what it returned."""
        assert self.start(name, id_, input_).status_code == 202
        return self.output(id_)

    def _if_in(self, id_: str, statuses: set[str]) -> dict[str, Any] | None:
        shown = self._shown(id_)
        return shown if shown.get("runtimeStatus") in statuses else None

    def _shown(self, id_: str) -> dict[str, Any]:
        """All that is shown of the instance, which may not be there for a moment after its start."""
        answer = self.read(id_)
        return answer.json() if answer.is_success else {}


def moment(text: str) -> datetime:
    """A time of the API (UTC)."""
    return datetime.fromisoformat(text)
