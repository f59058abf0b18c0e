"""An earlier run is contradicted by news, and not by data that are gone."""

import pytest

from engine.run_states import is_news

BEFORE = "asked:40:32:digest"


@pytest.mark.parametrize(
    ("after", "news"),
    [
        ("asked:40:32:digest", False),
        ("asked:40:33:more labels", True),
        ("asked:41:32:more predictions", True),
        ("asked:40:32:another label", True),
        ("asked:40:31:labels are gone", False),
        ("asked:39:32:predictions are gone", False),
        ("asked:0:0:everything is gone", False),
    ],
)
def test_what_says_more_is_news_and_what_has_lost_something_is_not(after: str, news: bool) -> None:
    assert is_news(BEFORE, after) is news
