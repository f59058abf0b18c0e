"""A component's environment variables are there while it runs and gone afterwards, and secrets are told to nobody."""

import os

import pytest

from engine.environment import environment
from engine.errors import DataError
from engine.monitor import Connection


def test_variables_are_set_and_put_back(monkeypatch):
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.setenv("SOURCE", "hush")
    monkeypatch.delenv("NEW", raising=False)
    with environment(Connection({"KEPT": "now", "NEW": "too"}, {"TOKEN": "SOURCE"})):
        assert (os.environ["KEPT"], os.environ["NEW"], os.environ["TOKEN"]) == ("now", "too", "hush")
    assert os.environ["KEPT"] == "before"
    assert not {"NEW", "TOKEN"} & os.environ.keys()


def test_they_are_put_back_after_an_error(monkeypatch):
    monkeypatch.delenv("NEW", raising=False)
    with pytest.raises(ZeroDivisionError), environment(Connection({"NEW": "now"}, {})):
        _ = 1 / 0
    assert "NEW" not in os.environ


def test_a_secret_is_taken_out_of_every_text(monkeypatch):
    monkeypatch.setenv("SHORT", "key")
    monkeypatch.setenv("LONG", "key-and-more")
    monkeypatch.setenv("EMPTY", "")
    with environment(Connection({}, {"A": "SHORT", "B": "LONG", "C": "EMPTY"})) as hide:
        assert hide("no key-and-more, no key") == "no ***, no ***"


def test_a_secret_that_is_not_there_is_said_without_what_was_written(monkeypatch):
    monkeypatch.delenv("sk_this_is_the_secret_itself", raising=False)
    with pytest.raises(DataError) as raised, environment(Connection({}, {"TOKEN": "sk_this_is_the_secret_itself"})):
        pass
    assert "connection.secret_config.TOKEN" in str(raised.value)
    assert "sk_" not in str(raised.value)
