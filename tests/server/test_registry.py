"""Files become the registry and come back; what changed is known, with who changed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.definitions import load_all
from engine.errors import DefinitionError
from server.changes import Action, Kind, changes_between
from server.definition_texts import relative, rooted
from server.desired import Desired, Written, read_desired
from server.errors import RegistryError
from server.registry import Registry
from tests.server.conftest import NOW

MONITOR = """\
# Watches what people buy.
name: {name}
trigger: {{type: recurrence, frequency: day, interval: 1}}
create_monitor:
  monitoring_target: {{model_id: shop}}
  monitoring_signals:
    quality:
      type: data_quality
      metric_thresholds: {{numerical: {{null_value_rate: {threshold}}}}}
"""
MODEL = """\
name: shop
data_column_names: {timestamp: at}
model_inputs:
  input_data: {path: azureml:orders:1}
baseline:
  input_data: {path: ../../data/training.parquet}
"""
ASSETS = """\
assets:
  - {name: orders, version: 1, path: ../data/orders} # where they land
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder like `conf/`, with two monitors of one model."""
    folder = tmp_path / "conf"
    for name, text in {
        "monitors/one.yaml": MONITOR.format(name="one", threshold=0.01),
        "monitors/two.yaml": MONITOR.format(name="two", threshold=0.02),
        "models/shop.yaml": MODEL,
        "assets.yaml": ASSETS,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def applied(registry: Registry, conf: Path, *, prune: bool = False) -> list[tuple[str, str, str]]:
    changes = changes_between(registry.current(), read_desired([conf]), prune=prune)
    registry.carry_out(changes)
    return [(change.action, change.kind, change.name) for change in changes]


def test_files_become_the_registry_and_a_second_time_nothing_changes(registry, conf):
    assert applied(registry, conf) == [
        (Action.CREATE, Kind.LIBRARY, "assets.yaml"),
        (Action.CREATE, Kind.MODEL, "shop"),
        (Action.CREATE, Kind.MONITOR, "one"),
        (Action.CREATE, Kind.MONITOR, "two"),
    ]
    assert applied(registry, conf) == []
    assert [each.model for each in registry.monitors()] == ["shop", "shop"]


def test_a_change_is_a_new_version_with_a_diff_of_what_changed(registry, conf):
    applied(registry, conf)
    (conf / "monitors/one.yaml").write_text(MONITOR.format(name="one", threshold=0.5))
    (change,) = changes_between(registry.current(), read_desired([conf]), prune=False)
    changed = [line for line in change.diff if line[0] in "+-"]
    assert [line.strip("+-").split(": ", 2)[-1] for line in changed] == [
        "{null_value_rate: 0.01}}",
        "{null_value_rate: 0.5}}",
    ]
    registry.carry_out([change])
    assert registry.monitor("one").version == 2
    latest, first = registry.audit("monitor", "one")
    assert (latest.actor, latest.at, latest.action, first.action) == ("test:ada", NOW, "change", "create")
    assert "0.01" in latest.before["definition"]
    assert "0.5" in latest.after["definition"]


def test_what_no_file_has_any_more_goes_only_when_asked_for(registry, conf):
    applied(registry, conf)
    (conf / "monitors/two.yaml").unlink()
    assert applied(registry, conf) == []
    assert applied(registry, conf, prune=True) == [(Action.DELETE, Kind.MONITOR, "two")]
    assert [each.name for each in registry.monitors()] == ["one"]


def test_a_plan_that_is_out_of_date_changes_nothing(database, conf):
    with database.session() as session:
        applied(Registry(session, "ada", NOW), conf)
    (conf / "monitors/one.yaml").write_text(MONITOR.format(name="one", threshold=0.5))
    with database.reading() as session:
        late = changes_between(Registry(session, "bob", NOW).current(), read_desired([conf]), prune=False)
    with database.session() as session:
        applied(Registry(session, "ada", NOW), conf)
    with pytest.raises(RegistryError, match="'one' has changed since"), database.session() as session:
        Registry(session, "bob", NOW).carry_out(late)
    with database.reading() as session:
        assert Registry(session, "x", NOW).monitor("one").version == 2


def test_spaces_are_apart_and_monitors_names_are_unique_among_all(registry, conf):
    applied(registry, conf)
    other = Registry(registry.session, "bob", NOW, "other")
    assert other.current() == Desired()
    with pytest.raises(RegistryError, match="another space"):
        applied(other, conf)


def test_wrong_files_change_nothing_and_say_everything_that_is_wrong(registry, conf):
    (conf / "monitors/one.yaml").write_text(MONITOR.format(name="one", threshold="soon"))
    (conf / "monitors/two.yaml").write_text(MONITOR.format(name="two", threshold="late"))
    with pytest.raises(DefinitionError) as found:
        read_desired([conf])
    assert len(found.value.problems) == 2


def test_muting_and_disabling_are_kept_with_who_did_it(registry, conf):
    applied(registry, conf)
    registry.mute("one", None, "known outage")
    registry.set_enabled("one", enabled=False)
    registry.set_enabled("one", enabled=False)  # nothing changes, and nothing is said
    assert [entry.action for entry in registry.audit("monitor", "one")] == ["disable", "mute", "create"]
    registry.unmute("one")
    monitor = registry.monitor("one")
    assert (monitor.muted, monitor.mute_reason, monitor.enabled) == (False, None, False)


def test_a_deleted_monitor_is_gone_and_its_history_is_not(registry, conf):
    applied(registry, conf)
    registry.delete("one")
    with pytest.raises(RegistryError, match="no monitor is named 'one'"):
        registry.monitor("one")
    assert [entry.action for entry in registry.audit("monitor", "one")] == ["delete", "create"]


def test_an_unknown_monitor_is_said_with_near_names(registry, conf):
    applied(registry, conf)
    with pytest.raises(RegistryError, match="did you mean two"):
        registry.mute("tow", None, None)


# ----------------------------------------------------------------------------------------------------------- texts


def test_a_text_means_the_same_wherever_it_stands(tmp_path):
    text = 'a: {path: "../data/x y"} # why\nb: {path: azureml:n:1}\nc: {path: s3://b/k}\nd:\n- path: /abs\n'
    there = rooted(text, tmp_path / "conf")
    assert there == text.replace('"../data/x y"', f"{tmp_path}/data/x y")
    assert relative(there, tmp_path / "conf") == text.replace('"', "")


def test_what_was_applied_is_the_same_monitor(registry, conf, tmp_path):
    applied(registry, conf)
    held = registry.current()
    elsewhere = tmp_path / "deep" / "down"
    for folder, files in (("monitors", held.monitors), ("models", held.models), (".", held.library)):
        for name, written in files.items():
            path = elsewhere / folder / (name if name.endswith(".yaml") else f"{name}.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written.text)
    here, there = (load_all([each])[0] for each in (conf, elsewhere))
    assert [each.signals for each in here] == [each.signals for each in there]


def test_a_deleted_one_is_written_nowhere_and_its_diff_is_empty():
    (change,) = changes_between(Desired(models={"m": Written("a: 1")}), Desired(), prune=True)
    assert (change.action, change.diff) == (Action.DELETE, [])
