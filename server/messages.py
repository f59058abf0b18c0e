"""One message per monitor and run, with all that is to be told of it, the worst first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine.monitor import Monitor
from engine.wording import moment, plural, printable, span
from server.layout import Layout, html_of, text_of
from server.lines import lines_of
from server.links import Link
from server.message import Message, Severity
from server.notices import RUN, Row, Told
from signals.alerting import Notice

__all__ = ["message_of"]

HEADINGS = {Notice.TRIGGERED: "Breached now", Notice.STILL: "Still breached", Notice.RECOVERED: "Recovered"}
VERBS = {Notice.TRIGGERED: "breached", Notice.STILL: "still breached", Notice.RECOVERED: "recovered"}
NAMED, LONGEST_NAME = 3, 40
"""Groups in a subject, and characters of each."""


def message_of(
    monitor: Monitor, run: Row, told: Sequence[Told], *, link: Link | None = None, picture: bytes | None = None
) -> Message:
    """The message.

    Args:
        monitor: what was evaluated.
        run: the run's record in `runs`.
        told: what is told, the worst first; at least one.
        link: where more is to be seen.
        picture: a PNG that shows the worst of it.
    """
    kinds = [(notice, [each for each in told if each.notice is notice]) for notice in HEADINGS]
    window = f" · data of {span(run['window_start'], run['window_end'])}" if run["window_start"] else ""
    address = _address(link, monitor, run, told[0]) if link else None
    alt = _alt(told) if picture else ""
    layout = Layout(
        intro=f"{monitor.display_name or monitor.name} · due {moment(run['scheduled_for'])}{window}",
        parts=[(f"{HEADINGS[notice]} ({len(own):,})", lines_of(own)) for notice, own in kinds if own],
        alt=alt,
        link=address,
        command=_command(monitor.name, run["scheduled_for"], told),
    )
    return Message(
        subject=_subject(monitor.name, told),
        text=text_of(layout),
        html=html_of(layout),
        picture=picture,
        alt=alt,
        severity=_severity(told),
        thread=f"monitors/{monitor.name}",
        ended=all(each.notice is Notice.RECOVERED for each in told),
        link=address,
        event=_event(run, address),
    )


def _subject(name: str, told: Sequence[Told]) -> str:
    first = told[0]
    alike = [each for each in told if each.notice is first.notice]
    if first.check.metric == RUN:
        return f"{name}: evaluated again" if first.notice is Notice.RECOVERED else f"{name}: could not be evaluated"
    groups = list(dict.fromkeys(_short(each.check.group) for each in alike))
    named = ", ".join(groups[:NAMED]) + (f" and {len(groups) - NAMED:,} more" if len(groups) > NAMED else "")
    return f"{name}: {plural(len(alike), 'check')} {VERBS[first.notice]} ({named})"


def _short(group: str) -> str:
    name = printable(group)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _severity(told: Sequence[Told]) -> Severity:
    if all(each.notice is Notice.RECOVERED for each in told):
        return Severity.INFO
    failed = any(each.check.metric == RUN and each.notice is not Notice.RECOVERED for each in told)
    return Severity.ERROR if failed else Severity.WARNING


def _alt(told: Sequence[Told]) -> str:
    """What somebody hears who does not see the picture."""
    line = next(line for line in lines_of(told) if line.value)
    return f"{line.name}, {line.how}: {line.value}. Its values over time, with the threshold, the latest one marked."


def _command(monitor: str, time: datetime, told: Sequence[Told]) -> str:
    """What shows the evidence of checks; of a run that failed what its process said."""
    words = "explain" if any(each.check.metric != RUN for each in told) else "runs logs"
    utc = time.astimezone(UTC)
    at = f"{utc:%Y-%m-%dT%H:%M}Z" if not utc.second and not utc.microsecond else utc.isoformat().replace("+00:00", "Z")
    return f"driftline {words} {monitor} --at {at}"


def _address(link: Link, monitor: Monitor, run: Row, worst: Told) -> str:
    due = run["scheduled_for"]
    times = {"time": due, "window_start": run["window_start"] or due, "window_end": run["window_end"] or due}
    return link.to({"monitor": monitor.name, "signal": worst.check.signal, **times})


def _event(run: Row, address: str | None) -> dict[str, Any]:
    """The run's event; the link is beside our other words in it, for which Azure's schema has no place."""
    event: dict[str, Any] = dict(run["event"] or {})
    if event and address is not None:
        data = event["data"]
        event["data"] = {**data, "RunProperties": {**data["RunProperties"], "link": address}}
    return event
