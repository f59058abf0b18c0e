"""When is a monitor due, in words? ``every day at 03:15 UTC``."""

from itertools import product
from zoneinfo import ZoneInfo

from engine.downtime import Downtime
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from engine.wording import moment, plural

__all__ = ["downtime_words", "trigger_words"]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def trigger_words(trigger: Trigger) -> str:
    """The trigger as one would say it; a cron expression stays as it was written."""
    rule = trigger.rule
    said = f"cron {rule.expression}" if isinstance(rule, Cron) else _recurrence(rule)
    return f"{said} {trigger.time_zone}"


def downtime_words(downtime: Downtime) -> str:
    """``downtime of 6 hours every 7 days from 1 Dec 2026 22:00 UTC on``."""
    hours = plural(int(downtime.length.total_seconds() // 3600), "hour")
    again = "" if downtime.every_days is None else f" every {plural(downtime.every_days, 'day').removeprefix('1 ')}"
    return f"downtime of {hours}{again} from {moment(downtime.start, ZoneInfo(downtime.time_zone))} on"


def _recurrence(rule: Recurrence) -> str:
    unit = rule.frequency.value
    every = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    on = [DAYS[day] for day in rule.week_days] + [f"the {day}." for day in rule.month_days]
    words = [every, f"on {', '.join(on)}" if on else "", _clock(rule)]
    return " ".join(word for word in words if word)


def _clock(rule: Recurrence) -> str:
    if rule.frequency in (Frequency.MINUTE, Frequency.HOUR):
        return f"at minute {', '.join(map(str, rule.minutes))}" if rule.minutes else ""
    if not rule.hours:
        return f"at minute {', '.join(map(str, rule.minutes))} of its hour" if rule.minutes else ""
    times = sorted(product(rule.hours, rule.minutes or (0,)))
    return "at " + ", ".join(f"{hour:02}:{minute:02}" for hour, minute in times)
