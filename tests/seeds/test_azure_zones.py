"""Azure's time zones: each is known here, and is the one that its name says."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from engine.definitions.trigger_keys import CronTrigger, RecurrenceTrigger, TriggerKeys
from tests.seeds.sdk_runs import zones

TRIGGER: TypeAdapter[RecurrenceTrigger | CronTrigger] = TypeAdapter(TriggerKeys)
WINTER, SUMMER = datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 7, 15, tzinfo=UTC)


def read(zone: str) -> ZoneInfo:
    trigger = {"type": "recurrence", "frequency": "day", "interval": 1, "time_zone": zone}
    return ZoneInfo(TRIGGER.validate_python(trigger).trigger().time_zone)


def hours(zone: str, at: datetime) -> float:
    offset = at.astimezone(read(zone)).utcoffset()
    assert offset is not None
    return offset / timedelta(hours=1)


def test_every_zone_of_azure_s_is_read_in_any_case() -> None:
    assert len(zones()) > 100
    assert [zone for zone in zones() if read(zone) != read(zone.upper())] == []


def test_a_zone_that_says_its_offset_has_it_all_year() -> None:
    plain = {zone: int(match[1]) for zone in zones() if (match := re.fullmatch(r"UTC([+-]\d+)", zone))}
    assert len(plain) >= 5
    assert {zone: hours(zone, at) for at in (WINTER, SUMMER) for zone in plain} == plain


def test_a_zone_is_where_it_says() -> None:
    offsets = {
        "Pacific Standard Time": (-8, -7),
        "W. Europe Standard Time": (1, 2),
        "India Standard Time": (5.5, 5.5),
        "AUS Eastern Standard Time": (11, 10),
        "UTC": (0, 0),
    }
    assert {zone: (hours(zone, WINTER), hours(zone, SUMMER)) for zone in offsets} == offsets
