"""Small pictures of checks: what is seen in them, and that a message goes out without one."""

from __future__ import annotations

import logging
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from engine.store import Store
from server.drawing import BAD, GOOD, NOW, draw
from server.notices import RUN, Check, Told
from server.picture import RUNS, past_of, picture_of
from server.rows import run_rows
from signals.alerting import Notice
from tests.jobs.conftest import AT, a_row, a_run

HOUR = timedelta(hours=1)
BINS = {
    "edges": [10.0, 20.0],
    "bins": ["< 10", "[10, 20)", ">= 20", "null"],
    "contributions": [[">= 20", 0.6, 0.2, 0.3], ["< 10", 0.1, 0.4, 0.1], ["[10, 20)", 0.3, 0.4, 0.0]],
}
LONG = {"contributions": [[f"United Kingdom of Great Britain {n}", 0.1, 0.2, 0.1 / (n + 1)] for n in range(40)]}
ODD = {"contributions": [["$x^{2$ costs \\$", 0.5, 0.1, 0.2], ["日本\n\x1b[31m", 0.0, 0.4, 0.1], ["", 0.5, 0.5, 0.0]]}


def row(value: float | None, hours: float = 0, **fields: Any) -> dict[str, Any]:
    breached = value is not None and value > 0.1
    given = {"monitor": "flights", "signal": "drift", "group": "distance", "group_dimension": "aggregate"}
    judged = {"metric_value": value, "threshold_value": 0.1, "threshold_kind": "fixed", "operator": "greater_than"}
    metric = {"metric_name": "population_stability_index", "breached": breached, "details": {}}
    return given | judged | metric | {"scheduled_for": AT + hours * HOUR} | fields


def told(last: dict[str, Any], notice: Notice = Notice.TRIGGERED) -> Told:
    return Told(notice, Check("drift", last["group"], last["group_dimension"], last["metric_name"]), last, AT)


def seen(png: bytes) -> tuple[tuple[int, int], dict[str, int]]:
    """The picture's size, and how many dots have each colour."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    counted: Any = picture.getcolors(1 << 20)
    return picture.size, {f"#{red:02x}{green:02x}{blue:02x}": count for count, (red, green, blue) in counted}


def near(colours: dict[str, int], wanted: str) -> int:
    """Dots of a colour, as near as a file with few colours keeps it."""
    parts = [int(wanted[place : place + 2], 16) for place in (1, 3, 5)]

    def apart(colour: str) -> int:
        return max(abs(int(colour[place : place + 2], 16) - part) for place, part in zip((1, 3, 5), parts, strict=True))

    return sum(count for colour, count in colours.items() if apart(colour) < 12)


WEEK = [row(0.05 + 0.001 * number, number) for number in range(100)]
SHAPES = {
    "many values": [*WEEK, row(0.4, 100)],
    "gaps": [*(row(None if number % 3 else 0.05, number) for number in range(50)), row(0.4, 50)],
    "one value": [row(0.4)],
    "nothing but zeros": [row(0.0, number, threshold_value=0.0) for number in range(5)],
    "years": [row(0.05 * number, 730 * number) for number in range(1, 30)],
    "huge": [row(1e12 * number, number, threshold_value=1e11) for number in range(1, 9)],
    "dynamic": [
        row(0.4, number, threshold_kind="dynamic", threshold_value=0.1 + number / 99 if number > 5 else None)
        for number in range(30)
    ],
    "a range": [
        row(0.4, number, threshold_kind="range", threshold_value=(0.1, 2.0)[number % 2]) for number in range(9)
    ],
    "bins of a number": [*WEEK, row(0.4, 100, details=BINS)],
    "many long categories": [*WEEK, row(0.4, 100, details=LONG)],
    "odd names": [*WEEK, row(0.4, 100, group="a_{$\n" * 30, group_dimension="x = '$'" * 20, details=ODD)],
}


@pytest.mark.parametrize("past", SHAPES.values(), ids=list(SHAPES))
def test_whatever_a_check_is_like_its_picture_is_small_and_as_wide_as_a_telephone_shows(past):
    png = draw(told(past[-1]), past)
    (width, height), _ = seen(png)
    assert (width, png[:4]) == (1200, b"\x89PNG")
    assert 500 < height <= 1200
    assert len(png) < 40_000


def test_breaches_are_red_a_recovery_green_and_the_bins_of_now_blue():
    _, breach = seen(draw(told(row(0.4, 100)), [*WEEK[:40], row(0.4, 100)]))
    _, over = seen(draw(told(row(0.05, 100), Notice.RECOVERED), [*WEEK[:40], row(0.05, 100)]))
    _, bins = seen(draw(told(row(0.4, 100, details=BINS)), [*WEEK[:40], row(0.4, 100)]))
    assert near(breach, BAD) > near(over, BAD) > 0  # the dot and the value, beside the threshold's line
    assert (near(breach, GOOD), near(breach, NOW)) == (0, 0)
    assert near(over, GOOD) > 500
    assert near(bins, NOW) > 10_000


# ------------------------------------------------------------------------------------------------ from a store


def kept(folder: Any, runs: int) -> Store:
    store = Store(folder / "store")
    every = [a_run(AT + number * HOUR) for number in range(runs)]
    rows = [a_row(run, "distance", 0.4, group_dimension=segment) for run in every for segment in ("aggregate", "x = 1")]
    store.write(every, rows)
    return store


def test_the_past_is_that_of_the_checks_own_segment_and_ends_with_what_is_told(tmp_path):
    store = kept(tmp_path, RUNS + 3)
    time = AT + (RUNS + 1) * HOUR  # one run is later: what is told was evaluated again
    _, rows = run_rows(store, "flights", time) or ({}, [])
    own = next(each for each in rows if each["group_dimension"] == "x = 1")
    found = past_of(store, told(own))
    assert [each["scheduled_for"] for each in found] == [AT + (2 + number) * HOUR for number in range(RUNS)]
    assert {each["group_dimension"] for each in found} == {"x = 1"}


def test_what_cannot_be_drawn_is_logged_and_stops_nothing(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "driftline.server"):
        assert picture_of(Store(tmp_path / "gone"), [told(row(0.4))]) is None
    assert "goes without its picture" in caplog.text


def test_a_run_that_failed_has_no_picture_and_beside_it_the_first_check_has(tmp_path):
    store = kept(tmp_path, 2)
    _, rows = run_rows(store, "flights", AT + HOUR) or ({}, [])
    failed = Told(Notice.RECOVERED, Check("", "flights", "aggregate", RUN), {"scheduled_for": AT, "error": None}, AT)
    assert picture_of(store, [failed]) is None
    assert (picture_of(store, [failed, told(rows[0])]) or b"").startswith(b"\x89PNG")
