"""The export's story: which step follows which answer."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from catalog.export_request import ExportRequest
from failures import ANEW, FINAL, LATER, Kind
from messages.exports import CommitAnswer, ExportOrder, PollingAnswer, StartAnswer, VersionAnswer
from messages.names import (
    BUILD_TABLE,
    COMMIT_EXPORT,
    COPY_BLOBS,
    POLL_OPERATION,
    REUSE_VERSION,
    RUN_EXPORT,
    START_EXPORT,
    START_NOTICE,
)
from orchestrator.policy import ACTIVITY_TRIES, MOST_RANGES
from tests.replay.exports import (
    BLOB_BYTES,
    OPERATION,
    ORDER,
    PROBLEM,
    Slices,
    copied,
    failed,
    in_turn,
    plan,
    replies,
    result,
)
from tests.replay.player import INSTANCE, START, TIMER, Replies, Reply, Story, play_story
from tests.replay.tables import TABLE

pytestmark = pytest.mark.usefixtures("typing_mode")


def _run(answers: Replies, order: ExportOrder = ORDER) -> Story:
    return play_story(RUN_EXPORT, order.to_json(), answers)


def test_an_export_takes_its_steps_in_order() -> None:
    """An export is started, polled, looked up, copied and committed, and ends with the version's result."""
    played = _run(replies(2))
    names = [task.name for task in played.tasks]
    assert names == [START_EXPORT, POLL_OPERATION, REUSE_VERSION, COPY_BLOBS, COPY_BLOBS, COMMIT_EXPORT, START_NOTICE]
    assert played.output == result(2).to_json()
    played.require_sound()


def test_the_status_shows_phase_and_progress_at_every_step() -> None:
    """Whoever watches sees each phase, and the blobs and bytes that have landed after every range."""
    shown = [(s["phase"], s["progress"]["blobsDone"], s["progress"]["bytesDone"]) for s in _run(replies(2)).statuses]
    assert [phase for phase, _ in itertools.groupby(shown)] == [
        ("starting", 0, 0),
        ("polling", 0, 0),
        ("planning", 0, 0),
        ("copying", 0, 0),
        ("copying", 1, BLOB_BYTES),
        ("committing", 2, 2 * BLOB_BYTES),
        ("done", 2, 2 * BLOB_BYTES),
    ]


def test_the_status_names_the_orchestration_that_is_waited_for() -> None:
    """While it polls, or makes the table: what that one meets stands in a status of its own. Then no more."""
    tabled = replace(ORDER, policy=replace(ORDER.policy, tables=True))
    played = _run({**replies(1), BUILD_TABLE: lambda _: TABLE}, tabled)
    children = [task.child_id for task in played.tasks if task.name in {POLL_OPERATION, BUILD_TABLE}]
    waited_for = [(s["phase"], s["waitsFor"]) for s in played.statuses if "waitsFor" in s]
    assert waited_for == list(zip(["polling", "tabulating"], children, strict=True))


def test_times_in_a_status_are_in_whole_seconds() -> None:
    """As those are that Durable tells itself."""
    answers = replies(1, commit_export=in_turn(failed(LATER), CommitAnswer(result(1))))
    played = play_story(RUN_EXPORT, ORDER.to_json(), answers, at=START + timedelta(milliseconds=250))
    (waiting,) = [status for status in played.statuses if "nextTryAt" in status]
    times = [waiting["startedAt"], waiting["nextTryAt"], waiting["lastProblem"]["time"]]
    assert [datetime.fromisoformat(time).microsecond for time in times] == [0, 0, 0]


def test_an_export_that_tries_anew_waits_for_nothing_but_time() -> None:
    """What its polling met before it failed is not why it waits now."""
    played = _run(replies(1, poll_operation=in_turn(failed(ANEW), PollingAnswer(plan(1)))))
    (waiting,) = [status for status in played.statuses if "nextTryAt" in status]
    assert waiting["lastProblem"]["code"] == PROBLEM.code
    assert "waitsFor" not in waiting


def test_an_export_without_blobs_is_committed_at_once() -> None:
    """An empty manifest is an export like any other: nothing to copy, and a version to commit."""
    played = _run(replies(0))
    assert not played.calls(COPY_BLOBS)
    assert played.output == result(0).to_json()


def test_data_that_has_landed_before_is_not_copied_again() -> None:
    """What `reuse_version` finds is the result."""
    played = _run(replies(2, reuse_version=lambda _: VersionAnswer(result(2))))
    assert [task.name for task in played.tasks][-2:] == [REUSE_VERSION, START_NOTICE]
    assert played.output == result(2).to_json()
    assert played.status["phase"] == "done"


@pytest.mark.parametrize("blobs", [2, MOST_RANGES], ids=["one history", "two histories"])
def test_the_commit_knows_which_version_was_the_latest(blobs: int) -> None:
    """As it was when the data was planned, be that in an earlier history."""
    fails_first = Slices(1, failing=lambda call: call <= blobs)
    answers = replies(blobs, reuse_version=lambda _: VersionAnswer(latest="0" * 16), copy_blobs=fails_first)
    (commit,) = _run(answers).calls(COMMIT_EXPORT)
    assert commit["latest"] == "0" * 16


def test_polling_runs_under_an_id_that_tells_its_export() -> None:
    """Whoever cancels an export finds its polling by the prefix, and no two runs share one."""
    _, poll, *_ = _run(replies(1)).tasks
    _, later, *_ = play_story(RUN_EXPORT, ORDER.to_json(), replies(1), at=START + timedelta(hours=1)).tasks
    assert poll.child_id is not None
    assert poll.child_id.startswith(f"{INSTANCE}:poll:")
    assert len(poll.child_id) <= 100
    assert later.child_id != poll.child_id


def test_polling_is_told_when_the_export_was_posted_and_when_it_must_end() -> None:
    """The polling's deadline is the export's own, counted from its very beginning."""
    (polling,) = _run(replies(1, start_export=lambda _: StartAnswer(OPERATION, 7.0))).calls(POLL_OPERATION)
    assert datetime.fromisoformat(polling["posted"]) == START + timedelta(seconds=1)
    assert datetime.fromisoformat(polling["deadline"]) == START + timedelta(hours=24)
    assert polling["retry_after"] == 7.0


def test_the_month_of_unbilled_data_is_the_one_in_which_it_was_posted() -> None:
    """What the activity says counts, in polling and in the plan, though the run plays in another month."""
    posted = START.replace(month=9, day=30, hour=23)
    request = ExportRequest.parse({"dataset": "unbilledUsage", "currencyCode": "EUR", "billingPeriod": "current"})
    played = _run(
        replies(1, start_export=lambda _: StartAnswer(OPERATION, posted=posted)), replace(ORDER, request=request)
    )
    (polling,) = played.calls(POLL_OPERATION)
    assert datetime.fromisoformat(polling["posted"]) == posted
    for step in (REUSE_VERSION, COPY_BLOBS, COMMIT_EXPORT):
        assert [call["plan"]["month"] for call in played.calls(step)] == ["2026-09"]


@pytest.mark.parametrize(
    "answers",
    [
        replies(2, start_export=lambda _: failed()),
        replies(2, poll_operation=lambda _: failed()),
        replies(2, reuse_version=lambda _: failed()),
        replies(2, copy_blobs=lambda _: failed()),
        replies(2, commit_export=lambda _: failed()),
    ],
    ids=[START_EXPORT, POLL_OPERATION, REUSE_VERSION, COPY_BLOBS, COMMIT_EXPORT],
)
def test_a_final_problem_fails_the_run_and_stands_in_the_status(answers: Replies) -> None:
    """A failed export fails in Durable too, and its status tells code, message, request id and remedy."""
    played = _run(answers)
    assert played.end.failure == f"{PROBLEM.code}: {PROBLEM.message}"
    assert played.status["error"] == PROBLEM.to_json()
    played.require_sound()


def test_a_step_that_raises_is_tried_again_with_growing_waits() -> None:
    """A transient fault of an activity costs a wait, and nothing else."""
    played = _run(replies(1, commit_export=in_turn(Exception("a"), Exception("b"), CommitAnswer(result(1)))))
    first, second = (datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER))
    assert second - first == timedelta(seconds=60 + 1)
    assert played.output == result(1).to_json()
    played.require_sound()


def test_a_start_that_is_put_off_is_tried_again_when_the_service_says() -> None:
    """`Retry-After` of a throttled post becomes a durable timer, but no shorter one than ours would be."""
    put_off = [failed(LATER, retry_after=seconds) for seconds in (600.0, 1.0)]
    played = _run(replies(1, start_export=in_turn(*put_off, StartAnswer(OPERATION))))
    first, second = (datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER))
    assert first - START == timedelta(seconds=1 + 600)
    assert second - first == timedelta(seconds=1 + 2 * ORDER.policy.retry_seconds)
    assert played.output == result(1).to_json()
    played.require_sound()


def test_a_start_that_is_put_off_for_ever_fails_with_the_services_reason() -> None:
    """After ten answers of this kind the run ends with Microsoft's own code, request id and remedy."""
    played = _run(replies(1, start_export=lambda _: failed(LATER, retry_after=60.0)))
    assert len(played.calls(START_EXPORT)) == ACTIVITY_TRIES
    message = f"The step start_export failed {ACTIVITY_TRIES} times; at last: {PROBLEM.message}"
    assert played.status["error"] == {**PROBLEM.to_json(), "message": message}


@pytest.mark.parametrize("at_last", [FINAL, ANEW])
def test_a_step_that_never_can_ends_the_attempt_or_the_run(at_last: Kind) -> None:
    """After its tries a step ends the run, unless a new export may bring what it lacked."""
    played = _run(replies(1, reuse_version=lambda _: failed(LATER, at_last)))
    assert len(played.calls(START_EXPORT)) == (ORDER.policy.export_attempts if at_last == ANEW else 1)
    assert played.status["error"]["code"] == PROBLEM.code


@pytest.mark.parametrize("step", [START_EXPORT, REUSE_VERSION, COMMIT_EXPORT])
def test_a_step_that_only_waiting_can_help_is_tried_until_the_deadline(step: str) -> None:
    """However long the outage is, as long as the run has time."""
    answers = replies(1)
    order = replace(ORDER, deadline=START + timedelta(hours=8))
    outage = [failed(LATER, LATER)] * (2 * ACTIVITY_TRIES)
    played = _run(replies(1, **{step: in_turn(*outage, answers[step]({}))}), order)
    assert played.output == result(1).to_json()
    played = _run(replies(1, **{step: lambda _: failed(LATER, LATER)}), order)
    assert played.status["error"]["code"] == "DeadlineExceeded"
    assert PROBLEM.message in played.status["error"]["message"]


@pytest.mark.parametrize("step", [START_EXPORT, REUSE_VERSION, COMMIT_EXPORT])
def test_a_step_that_always_raises_fails_the_run_in_the_end(step: str) -> None:
    """After ten tries the run ends, and its error says which step failed, and what it last said."""
    played = _run(replies(1, **{step: lambda _: Exception("LandingUnavailable: throttled \n at line 1")}))
    assert len(played.calls(step)) == ACTIVITY_TRIES
    assert played.status["error"]["code"] == "KeptFailing"
    assert f"{step} failed {ACTIVITY_TRIES} times; at last: LandingUnavailable: throttled" in str(played.end.failure)
    assert "line 1" not in played.status["error"]["message"]


@pytest.mark.parametrize("prefix", ["", "Activity function 'start_export' failed: "])
def test_what_the_host_says_before_a_reason_is_left_out(prefix: str) -> None:
    """On Azure the host's own words come first."""
    played = _run(replies(1, start_export=lambda _: Exception(f"{prefix}ActivityFailed: KeyError")))
    assert played.status["error"]["message"].endswith("; at last: ActivityFailed: KeyError")


def test_an_exception_without_text_still_gives_a_reason() -> None:
    """Some backends hand over no text at all."""
    played = _run(replies(1, start_export=lambda _: Exception()))
    assert played.status["error"]["message"].endswith("no reason given")


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (POLL_OPERATION, failed(ANEW)),
        (POLL_OPERATION, Exception("the polling itself failed")),
        (REUSE_VERSION, failed(ANEW)),
        (COPY_BLOBS, failed(ANEW)),
        (COMMIT_EXPORT, failed(ANEW)),
    ],
)
def test_what_a_new_export_may_mend_is_exported_anew(step: str, answer: Reply) -> None:
    """The next attempt is a new history with the same request and deadline, and of the one before only its problem."""
    happily = replies(1, copy_blobs=lambda _: copied(0, 1))
    played = _run({**happily, step: in_turn(answer, happily[step](None))})
    _, first_attempt, second_start, _ = played.plays
    met = first_attempt.status["lastProblem"]
    assert first_attempt.continued_with == {
        **ORDER.to_json(),
        "deadline": (START + timedelta(hours=24)).isoformat(),
        "started_at": START.isoformat(),
        "attempt": 2,
        "last_problem": met,
    }
    assert second_start.status["attempt"] == 2
    assert second_start.status["lastProblem"] == met
    assert played.output == result(1).to_json()
    played.require_sound()


def test_attempts_are_counted_and_have_an_end() -> None:
    """`EXPORT_ATTEMPTS` exports are posted at most, with growing waits between; the last problem is the error."""
    played = _run(replies(1, poll_operation=lambda _: failed(ANEW)))
    assert len(played.calls(START_EXPORT)) == ORDER.policy.export_attempts == 3
    assert [history.status["attempt"] for history in played.plays] == [1, 1, 2, 2, 3, 3]
    assert played.status["error"] == PROBLEM.to_json()
    assert [len(history.calls(TIMER)) for history in played.plays] == [0, 1, 0, 1, 0, 0]
    first, second = (datetime.fromisoformat(fire_at) for fire_at in played.calls(TIMER))
    # Two steps of a second, then the wait.
    assert first - START == timedelta(seconds=2 + 30)
    assert second - first == timedelta(seconds=2 + 60)


def test_the_deadline_ends_the_waiting_for_another_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """No wait goes beyond the deadline: the run fails at once, says what it was waiting for, and what helps."""
    order = ExportOrder(ORDER.request, ORDER.policy, START + timedelta(seconds=20))
    played = _run(replies(1, poll_operation=lambda _: failed(ANEW)), order)
    problem = played.status["error"]
    assert problem["code"] == "DeadlineExceeded"
    assert PROBLEM.message in problem["message"]
    assert (problem["remedy"], problem["requestId"]) == (PROBLEM.remedy, PROBLEM.request_id)
    assert not played.calls(TIMER)
    assert "tries again" not in caplog.text


def test_timers_are_utc() -> None:
    """A timer fires at the moment that was meant, wherever the worker runs."""
    played = _run(replies(1, start_export=in_turn(Exception("once"), StartAnswer(OPERATION))))
    assert played.calls(TIMER) == ["2026-10-08T06:00:31.000000Z"]
