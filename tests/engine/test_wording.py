from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.wording import listed, moment, number, percent, printable, ratio, short_moment, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (None, "–"),
        (2.571142, "2.571"),
        (0.5, "0.5"),
        (0.0284, "0.0284"),
        (0.000123456, "0.0001235"),
        (1.23e-9, "1.23e-09"),
        (51801, "51,801"),
        (1234567.89, "1,234,568"),
        (-55.80543, "-55.81"),
        (999.96, "1,000"),
        (1e300, "1e+300"),
    ],
)
def test_a_number_has_four_digits_that_count(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (1, "100 %"), (0.0004, "<0.1 %"), (0.602, "60.2 %")])
def test_a_tiny_share_is_told_from_none(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "threshold", "times"), [(2, 1, 2), (-60, -30, 2), (0.4, 0.8, 0.5), (1, 0, None), (-1, 2, None)]
)
def test_a_ratio_is_only_said_where_it_means_something(value: float, threshold: float, times: float | None) -> None:
    assert ratio(value, threshold) == times


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed(["a", "b"], 2) == "a, b"


def test_a_time_is_said_in_utc_wherever_it_comes_from() -> None:
    berlin = datetime(2013, 7, 2, 5, 15, tzinfo=timezone(timedelta(hours=2)))
    assert moment(berlin) == "2 Jul 2013 03:15 UTC"


def test_a_time_beside_another_leaves_out_what_they_share() -> None:
    at = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
    assert short_moment(at - timedelta(days=3), at) == "29 Jun"
    assert short_moment(at - timedelta(hours=3), at) == "2 Jul 00:15"
    assert short_moment(at - timedelta(days=365), at) == "2 Jul 2012"


def test_a_window_of_whole_days_is_said_in_days() -> None:
    start = datetime(2013, 7, 1, tzinfo=UTC)
    assert span(start, start + timedelta(days=1)) == "1 Jul 2013 (UTC)"
    assert span(start, start + timedelta(days=3)) == "1 Jul 2013 to 4 Jul 2013 (UTC, end excluded)"
    assert span(start, start + timedelta(hours=3)) == "1 Jul 2013 00:00 to 1 Jul 2013 03:00 UTC"


def test_a_value_cannot_drive_the_terminal() -> None:
    assert printable("a\x1b[31mb\nc é") == "a\\x1b[31mb\\nc é"
