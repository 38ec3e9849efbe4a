"""Announces that a run has ended: in the log, which alerts read, and by a webhook, if one is set."""

import logging

from activities.door import JsonObject, activity
from clients.process import unprepared_clients
from failures import NoticeFailure
from messages.names import SEND_NOTICE
from messages.notices import TABLE, Notice

TYPE = "partner.billing."
"""What the type of each event begins with, and the line in the log: `partner.billing.export.failed`."""

log = logging.getLogger(__name__)


@activity(SEND_NOTICE)
async def send_notice(message: JsonObject) -> JsonObject:
    """Announces the end that the `Notice` tells of; the answer is empty."""
    notice = Notice.from_json(message)
    # First of all: alerts look for it, also where settings cannot be used any more.
    if notice.attempt == 1:
        _log(notice)
    webhook = unprepared_clients().webhook
    try:
        if webhook:
            await webhook.post(_event(notice))
    except NoticeFailure as failure:
        log.warning("The webhook did not take the notice of %s: %s", notice.subject, failure.message)
        raise
    return {}


def _log(notice: Notice) -> None:
    log.log(_level(notice), "%s %s%s", _type(notice), notice.subject, _detail(notice))


def _level(notice: Notice) -> int:
    if notice.outcome != "failed":
        return logging.INFO
    return logging.WARNING if notice.about == TABLE else logging.ERROR


def _type(notice: Notice) -> str:
    return f"{TYPE}{notice.about}.{notice.outcome}"


def _detail(notice: Notice) -> str:
    match notice.outcome:
        case "failed":
            return f": {notice.data['code']}: {notice.data['message']}"
        case "restated":
            return f": version {notice.data['version']} takes the place of {notice.data['previousVersion']}"
    return ""


def _event(notice: Notice) -> JsonObject:
    """The notice as a CloudEvent in structured mode.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
    """
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": f"/api/{notice.about}s",
        "type": _type(notice),
        "subject": notice.subject,
        "time": notice.time.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.data,
    }
