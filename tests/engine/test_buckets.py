"""Windows are made of buckets: which step, and which tiles."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.buckets import MOST, step_of, tiles
from engine.monitor import FixedWindow, LookbackWindow
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from engine.windows import Window

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DAILY = Trigger(Recurrence(Frequency.DAY))


def definitions(*lengths_and_offsets: tuple[str, str]) -> frozenset:
    return frozenset(LookbackWindow(size, offset) for size, offset in lengths_and_offsets)


@given(st.integers(1, 400), st.integers(1, 48), st.integers(0, 10_000))
def test_tiles_make_up_the_window_and_end_with_it(hours, step, offset):
    end = NOON - offset * MINUTE
    window = Window(end - hours * HOUR, end)
    found = tiles(window, step * HOUR)
    assert (found[0].start, found[-1].end) == (window.start, window.end)
    assert all(earlier.end == later.start for earlier, later in pairwise(found))
    assert {tile.end - tile.start for tile in found[1:]} <= {step * HOUR}
    assert found[0].end - found[0].start <= step * HOUR


@given(st.integers(1, 40), st.integers(1, 40))
def test_windows_of_one_phase_share_their_tiles(days, later):
    one = tiles(Window(NOON - days * DAY, NOON), DAY)
    other = tiles(Window(NOON + (later - days) * DAY, NOON + later * DAY), DAY)
    assert len(set(one) & set(other)) == max(0, days - later)


def test_a_window_of_too_many_steps_is_kept_in_one_piece():
    window = Window(NOON - (MOST + 1) * MINUTE, NOON)
    assert tiles(window, MINUTE) == (window,)
    assert len(tiles(window, HOUR)) < MOST


@pytest.mark.parametrize(
    ("trigger", "windows", "step"),
    [
        (DAILY, [("P1D", "P0D")], DAY),
        (DAILY, [("P30D", "P0D"), ("P30D", "P30D")], DAY),
        (DAILY, [("P7D", "PT3H15M")], DAY),  # all windows end at the same time of day, whichever it is
        (DAILY, [("P1D", "P0D"), ("P1D", "PT6H")], HOUR),
        (DAILY, [("PT12H", "P0D")], HOUR),
        (DAILY, [("P1M", "P0D")], DAY),
        (DAILY, [("PT90M", "P0D")], 90 * MINUTE),
        (Trigger(Recurrence(Frequency.HOUR)), [("P1D", "P0D")], HOUR),
        (Trigger(Recurrence(Frequency.WEEK)), [("P7D", "P0D")], DAY),
        (Trigger(Recurrence(Frequency.MINUTE, 15)), [("P1D", "P0D")], 15 * MINUTE),
        (Trigger(Recurrence(Frequency.DAY, 1, (6, 18), (30,))), [("P1D", "P0D")], HOUR),
        (Trigger(Recurrence(Frequency.DAY, 1, (3,), (15,)), "America/New_York"), [("P1D", "P0D")], DAY),
        (Trigger(Cron.parse("*/20 * * * *")), [("PT1H", "P0D")], 20 * MINUTE),
    ],
)
def test_the_step_is_the_greatest_that_windows_and_trigger_have_in_common(trigger, windows, step):
    assert step_of(trigger, definitions(*windows)) == step


def test_a_fixed_window_has_a_say_in_the_step():
    fixed = FixedWindow(NOON - 36 * HOUR, NOON)
    assert step_of(DAILY, definitions(("P1D", "P0D")) | {fixed}) == HOUR


def test_the_clock_change_of_a_country_begins_another_grid():
    trigger = Trigger(Recurrence(Frequency.DAY, 1, (3,), (15,)), "Europe/Berlin")
    before, after = trigger.due(datetime(2024, 3, 30, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
    assert (after - before) == 23 * HOUR
    assert not set(tiles(Window(before - 3 * DAY, before), DAY)) & set(tiles(Window(after - 3 * DAY, after), DAY))
