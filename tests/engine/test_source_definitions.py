"""What a definition says of its data beside where it is: whether it only grows, and how near its rows lie to others."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import DefinitionError
from engine.monitor import Monitor, Source

TRIGGER = {"type": "recurrence", "frequency": "day", "interval": 1}


def sources(folder: Path, *inputs: dict[str, Any]) -> list[Source]:
    """The sources of a signal's production data."""
    signal = {
        "type": "data_drift",
        "production_data": [{"input_data": each, "data_column_names": {"correlation_id": "id"}} for each in inputs],
        "reference_data": {"input_data": {"path": "reference"}},
    }
    create = {"monitoring_signals": {"drift": signal}}
    monitor = Monitor.from_dict({"name": "lab", "trigger": TRIGGER, "create_monitor": create}, folder)
    return [data.source for data in monitor.signals[0].production]


def test_nothing_is_taken_for_granted(tmp_path):
    (plain,) = sources(tmp_path, {"path": "rows"})
    assert (plain.append_only, plain.joined_within) == (False, None)


def test_a_table_that_only_grows_and_rows_that_lie_near_are_said(tmp_path):
    table, near = sources(tmp_path, {"table": "a.b", "append_only": True}, {"path": "out", "joined_within": "PT0S"})
    assert table.append_only
    assert near.joined_within == "PT0S"


def test_what_is_said_of_an_asset_holds_unless_it_is_said_otherwise(tmp_path):
    asset = "{name: out, version: 1, path: out, append_only: true, joined_within: P1D}"
    (tmp_path / "assets.yaml").write_text(f"assets:\n  - {asset}\n")
    name = "azureml:out:1"
    as_said, other = sources(tmp_path, {"path": name}, {"path": name, "append_only": False, "joined_within": "PT1H"})
    assert (as_said.append_only, as_said.joined_within) == (True, "P1D")
    assert (other.append_only, other.joined_within) == (False, "PT1H")


def test_a_distance_that_is_no_duration_is_said_with_its_key(tmp_path):
    with pytest.raises(DefinitionError, match=r"joined_within.*'1 day' is not an ISO-8601 duration"):
        sources(tmp_path, {"path": "in"}, {"path": "out", "joined_within": "1 day"})
