"""What a message says, to the word: what breached, how far, what chance would give, since when, what carries it."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from engine.errors import DefinitionError
from engine.monitor import Monitor
from server.links import Link
from server.message import Message
from server.messages import message_of
from server.notices import RUN, Check, Told
from server.settings import ServerKeys, read_settings
from signals.alerting import Notice
from tests.jobs.conftest import AT
from tests.server.test_telling import definition

DAY = timedelta(days=1)
BINS = {
    "edges": [10.0],
    "bins": ["< 10", ">= 10"],
    "contributions": [["< 10", 0.1, 0.5, 0.1], [">= 10", 0.9, 0.5, 0.2]],
}
CARRIED = {
    "carried_by": [["carrier", "UA", 0.15, 0.0, 0.15, 500, 500], ["origin", "EWR", 0.62, 0.0, 0.62, 300, 300]],
    "carried_by_rest": {"origin": [2, 0.38, 0.1, 0.28, 700, 700], "carrier": [9, 0.85, 0.1, 0.75, 500, 500]},
    "not_carried_by": {"year": "it has one value"},
}


@pytest.fixture
def monitor(tmp_path) -> Monitor:
    return Monitor.from_dict(definition(), tmp_path)


def told(group: str = "distance", notice: Notice = Notice.TRIGGERED, since=AT, **fields: Any) -> Told:
    row: dict[str, Any] = {
        "signal": "drift",
        "metric_value": 0.4,
        "threshold_value": 0.1,
        "threshold_kind": "fixed",
        "operator": "greater_than",
        "row_count": 1234,
        "expected_p95": None,
        "interval_low": None,
        "interval_high": None,
        "details": {},
        "scheduled_for": AT,
        "metric_name": "psi",
        **fields,
    }
    return Told(notice, Check("drift", group, fields.get("group_dimension", "aggregate"), "psi"), row, since)


RUN_OF = {
    "scheduled_for": AT,
    "window_start": AT - DAY,
    "window_end": AT,
    "error": None,
    "event": {"id": "1", "data": {"RunProperties": {"checks": 1}, "RunStatus": "Failed"}},
}


def facts_of(message: Message) -> list[str]:
    return [line.strip() for line in message.text.splitlines() if line.startswith("    ")]


def test_every_part_of_the_sentence_is_said_with_the_largest_first(monitor):
    each = told(expected_p95=0.02, details=BINS | CARRIED, since=AT - 2 * DAY)
    message = message_of(monitor, RUN_OF, [each], link=Link("https://x.example/{monitor}?to={time}"))
    assert message.text.splitlines() == [
        "flights · due 2 Jul 2013 03:15 UTC · data of 1 Jul 2013 03:15 to 2 Jul 2013 03:15 UTC",
        "",
        "Breached now (1)",
        "• distance · psi · drift: 0.4 > 0.1",
        "    since 30 Jun 2013 03:15 UTC · 4 times the threshold · 1,234 rows",
        "    chance alone stays below 0.02 in 19 of 20 windows",
        "    carried by the bins >= 10 (50.0 % → 90.0 %), < 10 (50.0 % → 10.0 %)",
        "    by origin: EWR carried 62.0 % with 30.0 % of the rows",
        "    by carrier: no value stands out: each carried about as much of the shift as it has of the rows",
        "",
        "https://x.example/flights?to=2013-07-02T03%3A15%3A00.000Z",
        "driftline explain flights --at 2013-07-02T03:15Z",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expected_p95": 0.5}, "chance alone stays below 0.5 in 19 of 20 windows: this may be no more than chance"),
        (
            {"operator": "less_than", "metric_value": 0.05, "expected_p95": 0.2},
            "chance alone stays above 0.2 in 19 of 20 windows",
        ),
        ({"interval_low": 0.2, "interval_high": 0.6}, "95 % interval 0.2 to 0.6"),
        (
            {"interval_low": 0.05, "interval_high": 0.6},
            "95 % interval 0.05 to 0.6, with the threshold in it: this may be no more than chance",
        ),
    ],
)
def test_what_chance_would_give_is_judged_by_the_side_that_is_bad(monitor, fields, said):
    assert said in facts_of(message_of(monitor, RUN_OF, [told(**fields)]))


def test_what_has_recovered_says_since_when_it_had_breached_and_no_more(monitor):
    over = told(notice=Notice.RECOVERED, since=AT - DAY, metric_value=0.05, expected_p95=0.02, details=BINS | CARRIED)
    message = message_of(monitor, RUN_OF, [over])
    assert facts_of(message) == ["it had breached since 1 Jul 2013 03:15 UTC · 1,234 rows"]
    assert message.ended


def test_a_segment_is_named_and_what_data_call_themselves_cannot_break_a_message(monitor):
    each = told("a\x1b[31m\n<b>", group_dimension="origin = '<script>'")
    message = message_of(monitor, RUN_OF, [each])
    assert "a\\x1b[31m\\n<b> where origin = '<script>' · psi" in message.text
    assert "\n" not in message.subject
    assert "<script>" not in (message.html or "")


@pytest.mark.parametrize("count", [1, 3, 20, 300])
def test_however_many_checks_a_message_can_be_read_and_ends_with_where_there_is_more(monitor, count):
    every = [told(f"feature_{number}", details=BINS, expected_p95=0.02) for number in range(count)]
    message = message_of(monitor, RUN_OF, every, link=Link("https://x.example/"), picture=b"\x89PNG")
    lines = message.text.splitlines()
    assert lines[-2:] == ["https://x.example/", "driftline explain flights --at 2013-07-02T03:15Z"]
    assert ("• and 280 more" in lines) == (count == 300)
    assert (len(message.text), len(message.html or "")) < (6_000, 14_000)  # mail readers cut off what is long
    assert len(message.subject) < 80
    page = Page.of(message)
    assert (
        page.alt
        == "feature_0, psi · drift: 0.4 > 0.1. Its values over time, with the threshold, the latest one marked."
    )
    assert page.links == ["https://x.example/"]
    assert page.open == []


class Page(HTMLParser):
    """A page's picture and links; every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str | None] = []
        self.alt: str | None = None

    @classmethod
    def of(cls, message: Message) -> Page:
        page = cls()
        page.feed(message.html or "")
        return page

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "img":
            self.alt = given["alt"]
        if tag == "a":
            self.links.append(given["href"])
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_without_a_picture_the_page_shows_no_place_for_one(monitor):
    assert Page.of(message_of(monitor, RUN_OF, [told()])).alt is None


def test_a_run_that_failed_says_why_and_where_its_log_is(monitor):
    run = {**RUN_OF, "window_start": None, "window_end": None, "error": "no memory\n" + "x" * 9_000}
    failed = Told(Notice.STILL, Check("", monitor.name, "aggregate", RUN), run, AT - DAY)
    message = message_of(monitor, run, [failed], link=Link("https://x.example/{window_start}"))
    assert facts_of(message)[0::2] == ["no memory", "since 1 Jul 2013 03:15 UTC"]
    assert len(message.text) < 800
    assert message.text.endswith("driftline runs logs flights --at 2013-07-02T03:15Z\n")
    assert message.link == "https://x.example/2013-07-02T03%3A15%3A00.000Z"  # there is no window: when it was due


# ------------------------------------------------------------------------------------------------------------- links


def test_machines_are_told_the_link_beside_what_azure_has_no_place_for(monitor):
    message = message_of(monitor, RUN_OF, [told()], link=Link("https://x.example/{signal}"))
    assert message.event["data"] == {
        "RunProperties": {"checks": 1, "link": "https://x.example/drift"},
        "RunStatus": "Failed",
    }
    assert message_of(monitor, RUN_OF, [told()]).event == RUN_OF["event"]


def test_what_is_put_into_a_link_cannot_lead_elsewhere():
    link = Link("https://x.example/d?m={monitor}&from={window_start}")
    assert link.to({"monitor": "a&b=c/../é"}) == "https://x.example/d?m=a%26b%3Dc%2F..%2F%C3%A9&from="


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("https://x.example/{montor}", r"has no place \{montor\}: there are \{monitor\}"),
        ("https://x.example/{monitor.__class__}", "has no place"),
        ("https://x.example/{monitor!r}", "has no place"),
        ("https://x.example/{}", "has no place"),
        ("https://x.example/{monitor", "is no template"),
        ("javascript:alert(1)", "is no URL of http or https"),
        ("x.example/{monitor}", "is no URL of http or https"),
    ],
)
def test_a_link_that_cannot_be_is_refused_when_settings_are_read(tmp_path, template, why):
    settings = tmp_path / "server.yaml"
    settings.write_text(f"poll: 1\nlink: '{template}'\n")
    with pytest.raises(DefinitionError, match=rf"server\.yaml:2.*link.*{why}"):
        read_settings(settings, {})
    assert ServerKeys().leads() is None
