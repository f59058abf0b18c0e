"""What `docs/server.md` shows works: its settings are read, its alerting is right, its receiver of webhooks checks."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from engine.definitions.alert_keys import Alerting
from engine.definitions.downtime_keys import DowntimeKeys
from engine.definitions.threshold_keys import ThresholdKeys
from server.channels.webhook import SIGNATURE, TIMESTAMP, Webhook
from server.integrations import test_message as sent_as_a_test
from server.loaded import Loaded
from server.metrics import exposition
from server.outbox import Parcel
from server.settings import ServerKeys, read_settings
from tests.server.conftest import NOW
from tests.server.receivers import http_receiver

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_its_settings_are_read(tmp_path):
    shown = [each for each in blocks("yaml") if "smtp:" in each]
    assert len(shown) == 2
    for text in shown:
        (tmp_path / "server.yaml").write_text(text)
        assert read_settings(tmp_path / "server.yaml", {}).smtp is not None


def test_every_setting_has_a_row():
    assert [name for name in ServerKeys.model_fields if f"\n| `{name}` |" not in PAGE] == []


def test_its_alerting_is_right():
    (shown,) = [yaml.safe_load(each)["create_monitor"] for each in blocks("yaml") if " alerting:" in each]
    rule = Alerting.model_validate(shown["alerting"]).rule()
    assert (rule.breaches, rule.of, rule.again_after) == (2, 3, timedelta(days=1))
    (bound,) = shown["monitoring_signals"]["drift"]["metric_thresholds"]["numerical"].values()
    assert ThresholdKeys.model_validate(bound).clear == 0.1


def test_its_downtime_is_right():
    (shown,) = [yaml.safe_load(each)["create_monitor"] for each in blocks("yaml") if " downtime:" in each]
    assert DowntimeKeys.model_validate(shown["downtime"]).every_days == 7


@pytest.fixture
def is_genuine():
    found: dict = {}
    (code,) = blocks("python")
    exec(code, found)
    return found["is_genuine"]


def test_its_receiver_knows_what_is_genuine(is_genuine):
    with http_receiver() as receiver:
        Webhook(receiver.url, "a key", private=True).send(
            Parcel("test/1", "integration", "ops", sent_as_a_test("ops", NOW)), NOW
        )
    (got,) = receiver.requests
    stamp, signature, at = got.headers[TIMESTAMP], got.headers[SIGNATURE], NOW.timestamp()
    assert is_genuine("a key", stamp, signature, got.body, at + 60)
    assert not is_genuine("a key", stamp, signature, got.body, at + 301)
    assert not is_genuine("another", stamp, signature, got.body, at)
    assert not is_genuine("a key", stamp, signature, got.body + b" ", at)
    assert not is_genuine("a key", "yesterday", signature, got.body, at)
    assert not is_genuine("a key", stamp, "v1=ü", got.body, at)


def test_every_metric_is_explained(database):
    text = exposition(database, NOW, NOW, Loaded()).decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names
    assert [name for name in sorted(names) if f"| `{name}" not in PAGE] == []
