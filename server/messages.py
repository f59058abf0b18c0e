"""One message per monitor and run, with all that is to be told of it, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from engine.monitor import Monitor
from engine.results import AGGREGATE
from engine.wording import bound, moment, number, percent, plural, ratio, span
from server.message import Message, Severity
from server.notices import RUN, Row, Told
from signals.alerting import Notice

__all__ = ["message_of"]

MOST = 20
"""So many checks of a kind are told one by one, and the others counted: a message is read on a telephone."""
CARRIED_BY = 3

HEADINGS = {Notice.TRIGGERED: "Breached now", Notice.STILL: "Still breached", Notice.RECOVERED: "Recovered"}


@dataclass(frozen=True)
class _Line:
    """What is told of one check."""

    what: str
    value: str
    facts: tuple[str, ...]


def message_of(
    monitor: Monitor, run: Row, told: Sequence[Told], *, link: str | None = None, picture: bytes | None = None
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
    parts = [(f"{HEADINGS[notice]} ({len(own)})", _lines(own)) for notice, own in kinds if own]
    window = span(run["window_start"], run["window_end"]) if run["window_start"] else ""
    intro = f"{monitor.display_name or monitor.name} · due {moment(run['scheduled_for'])} · data of {window}"
    ended = all(each.notice is Notice.RECOVERED for each in told)
    return Message(
        subject=_subject(monitor.name, told),
        text=_text(intro, parts, link),
        html=_html(intro, parts, link, picture is not None),
        picture=picture,
        severity=_severity(told),
        thread=f"monitors/{monitor.name}",
        ended=ended,
        event=_event(run),
    )


def _subject(name: str, told: Sequence[Told]) -> str:
    first = told[0]
    alike = [each for each in told if each.notice is first.notice]
    if first.check.metric == RUN:
        return f"{name}: evaluated again" if first.notice is Notice.RECOVERED else f"{name}: could not be evaluated"
    verb = {Notice.TRIGGERED: "breached", Notice.STILL: "still breached", Notice.RECOVERED: "recovered"}[first.notice]
    groups = list(dict.fromkeys(each.check.group for each in alike))
    named = ", ".join(groups[:3]) + (f" and {len(groups) - 3} more" if len(groups) > 3 else "")
    return f"{name}: {plural(len(alike), 'check')} {verb} ({named})"


def _severity(told: Sequence[Told]) -> Severity:
    if all(each.notice is Notice.RECOVERED for each in told):
        return Severity.INFO
    failed = any(each.check.metric == RUN and each.notice is not Notice.RECOVERED for each in told)
    return Severity.ERROR if failed else Severity.WARNING


def _lines(told: Sequence[Told]) -> list[_Line]:
    lines = [_line(each) for each in told[:MOST]]
    if len(told) > MOST:
        lines.append(_Line(f"and {len(told) - MOST} more", "", ()))
    return lines


def _line(told: Told) -> _Line:
    if told.check.metric == RUN:
        error = str(told.row.get("error") or "").splitlines()
        return _Line("the run itself", "", tuple(error[:3]) or ("it was evaluated",))
    row, check = told.row, told.check
    segment = "" if check.dimension == AGGREGATE else f" where {check.dimension}"
    value = f"{number(row['metric_value'])} {bound(row['operator'], row['threshold_value'], row['threshold_kind'])}"
    if told.notice is Notice.RECOVERED:
        value = f"{number(row['metric_value'])} (threshold {number(row['threshold_value'])})"
    return _Line(f"{check.group}{segment} · {check.metric} · {check.signal}", value, tuple(_facts(told)))


def _facts(told: Told) -> list[str]:
    row = told.row
    found: list[str] = []
    times = ratio(row["metric_value"], row["threshold_value"])
    if times and times >= 1.05 and told.notice is not Notice.RECOVERED:
        found.append(f"{number(times)} times the threshold")
    if row["expected_p95"] is not None:
        found.append(f"chance alone stays below {number(row['expected_p95'])} in 19 of 20 windows")
    if row["row_count"] is not None:
        found.append(f"{plural(row['row_count'], 'row')}")
    if told.notice is not Notice.TRIGGERED:
        found.append(f"since {moment(told.since)}")
    carried = _carried(row.get("details") or {})
    if carried and told.notice is not Notice.RECOVERED:
        found.append(f"carried by {carried}")
    return found


def _carried(details: dict[str, Any]) -> str:
    """The bins that made a distance, with their share now and before."""
    bins = details.get("contributions") or ()
    return ", ".join(f"{name} ({percent(before)} → {percent(now)})" for name, now, before, _ in bins[:CARRIED_BY])


def _event(run: Row) -> dict[str, Any]:
    return dict(run["event"]) if run.get("event") else {}


# ------------------------------------------------------------------------------------------------------------ shapes

Parts = Sequence[tuple[str, Sequence[_Line]]]


def _text(intro: str, parts: Parts, link: str | None) -> str:
    lines = [intro]
    for heading, own in parts:
        lines += ["", heading]
        for each in own:
            lines.append(f"  {each.what}{':' if each.value else ''} {each.value}".rstrip())
            lines += [f"      {fact}" for fact in each.facts]
    return "\n".join([*lines, *(["", link] if link else [])]) + "\n"


CELL = 'style="padding:6px 12px 6px 0;border-top:1px solid #ddd;vertical-align:top"'


def _html(intro: str, parts: Parts, link: str | None, picture: bool) -> str:
    body = [f"<p>{escape(intro)}</p>"]
    for heading, own in parts:
        rows = "".join(
            f"<tr><td {CELL}>{escape(each.what)}</td><td {CELL}><b>{escape(each.value)}</b><br>"
            f'<span style="color:#666">{"<br>".join(map(escape, each.facts))}</span></td></tr>'
            for each in own
        )
        body.append(f'<h3>{escape(heading)}</h3><table style="border-collapse:collapse">{rows}</table>')
    if picture:
        body.append('<p><img src="cid:picture" alt="The worst check over time, with its threshold"></p>')
    if link:
        body.append(f'<p><a href="{escape(link, quote=True)}">More</a></p>')
    return f'<html><body style="font-family:sans-serif;font-size:14px">{"".join(body)}</body></html>'
