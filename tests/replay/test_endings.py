"""However a run ends, in a first or in a continued history: its status says why, and whoever is to know is told."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from messages.encoding import Message
from messages.exports import ExportOrder, Operation
from messages.months import BackfillOrder, MonthlyOrder
from messages.names import BACKFILL, LIST_INVOICES, MONTHLY_EXPORTS, RUN_EXPORT, START_NOTICE
from tests.replay.exports import OPERATION, ORDER, POLICY, in_turn, listed, replies, result, still_to_copy
from tests.replay.player import START, Replies, Reply, Story, play_story

DAY = timedelta(days=1)
SOON = START + timedelta(seconds=100)
ATTEMPT = replace(ORDER, deadline=SOON, attempt=3)
MONTH = MonthlyOrder("2026-09", POLICY, ["billedUsage"], wait_days=1)
LOOKED = replace(MONTH, last_look=START + DAY, next_look=START + DAY / 2)
MONTHS = BackfillOrder("2026-07", "2026-08", POLICY, ["billedUsage"])
DONE = [{"month": "2026-07", "state": "succeeded", "error": None}]
BEGINNINGS: dict[str, tuple[str, Message]] = {
    "export": (RUN_EXPORT, replace(ORDER, deadline=SOON)),
    "export, last attempt": (RUN_EXPORT, ATTEMPT),
    "export, posted": (RUN_EXPORT, replace(ATTEMPT, operation=Operation(OPERATION, START))),
    "export, copying": (RUN_EXPORT, replace(still_to_copy(2), deadline=SOON)),
    "month": (MONTHLY_EXPORTS, MONTH),
    "month, waiting": (MONTHLY_EXPORTS, LOOKED),
    "month, last look": (MONTHLY_EXPORTS, replace(LOOKED, next_look=START + DAY)),
    "range": (BACKFILL, MONTHS),
    "range, going on": (BACKFILL, replace(MONTHS, done=DONE)),
}
every_history = pytest.mark.parametrize(("orchestrator", "order"), BEGINNINGS.values(), ids=BEGINNINGS)


@dataclass(frozen=True)
class _Nonsense(Message):
    """An answer that nobody expects."""

    value: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return self.value


MISHAPS: dict[str, Reply] = {
    "raises": Exception("KeyError: 'id'"),
    "says nothing": _Nonsense({}),
    "says half of it": _Nonsense({"problem": {"code": "C"}, "plan": {}, "result": {}, "not_now": {}, "state": 1}),
}


class _Answers:
    """All goes well, but for some calls, counted from 1; telling of the end always works."""

    def __init__(self, goes_wrong: Callable[[int], bool], mishap: Reply) -> None:
        self.calls = 0
        self._goes_wrong = goes_wrong
        self._mishap = mishap

    def replies(self) -> Replies:
        well = {
            **replies(2),
            LIST_INVOICES: in_turn(listed("G016907411"), listed("G016907411", "G016907412")),
            RUN_EXPORT: lambda _: result(1),
            MONTHLY_EXPORTS: lambda _: result(1),
        }
        return {name: reply if name == START_NOTICE else self._or_mishap(reply) for name, reply in well.items()}

    def _or_mishap(self, reply: Callable[[Any], Reply]) -> Callable[[Any], Reply]:
        def answer(data: Any) -> Reply:
            self.calls += 1
            return self._mishap if self._goes_wrong(self.calls) else reply(data)

        return answer


def _require_told(played: Story) -> None:
    (notice,) = played.calls(START_NOTICE)
    if played.end.failure is None:
        assert notice["outcome"] == "succeeded"
        assert notice["data"] == played.output
    else:
        assert notice["outcome"] == "failed"
        assert notice["data"] == played.status["error"]
        assert all(notice["data"][field] for field in ("code", "message", "remedy"))
        assert played.end.failure == f"{notice['data']['code']}: {notice['data']['message']}"


def _play(orchestrator: str, order: Message, goes_wrong: Callable[[int], bool], mishap: Reply) -> int:
    """Plays the run to its end; how many calls it made on its way."""
    answers = _Answers(goes_wrong, mishap)
    _require_told(play_story(orchestrator, order.to_json(), answers.replies()))
    return answers.calls


@every_history
@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS)
def test_whichever_call_goes_wrong_the_end_has_a_reason_and_is_told(
    orchestrator: str, order: Message, mishap: Reply
) -> None:
    """Each activity and sub-orchestration in turn, once, and from then on for ever."""
    calls = _play(orchestrator, order, lambda _: False, mishap)
    assert calls
    for number in range(1, calls + 1):
        _play(orchestrator, order, lambda call, number=number: call == number, mishap)  # type: ignore[misc]
    _play(orchestrator, order, lambda _: True, mishap)


@pytest.mark.parametrize("beginning", [name for name in BEGINNINGS if name.startswith("export")])
def test_at_whichever_moment_the_deadline_passes_the_end_has_a_reason_and_is_told(beginning: str) -> None:
    """From before the first step of a history to after its last, where every second step has to wait."""
    _, order = BEGINNINGS[beginning]
    assert isinstance(order, ExportOrder)
    for second in itertools.chain(range(-1, 10), range(10, 300, 13)):
        deadline = replace(order, deadline=START + timedelta(seconds=second))
        _play(RUN_EXPORT, deadline, lambda call: call % 2 == 1, Exception("once"))


@pytest.mark.parametrize("orchestrator", [RUN_EXPORT, MONTHLY_EXPORTS, BACKFILL])
@pytest.mark.parametrize("order", [{}, {"policy": 1}, {"request": {"dataset": "none"}, "policy": {}}])
def test_an_order_that_cannot_be_read_ends_with_a_reason_and_is_told(orchestrator: str, order: Any) -> None:
    """A release that is too old or too new for it says so, and does not vanish."""
    played = play_story(orchestrator, order, _Answers(lambda _: False, None).replies())
    _require_told(played)
    assert played.status["error"]["code"] == "Unexpected"
