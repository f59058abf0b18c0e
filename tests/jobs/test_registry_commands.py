"""Files into the registry and back, and what can be done with what is in it, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from server.database import Database
from server.message import Message
from server.outbox import DeliveryError, Outbox, Parcel, enqueue
from server.policies import Retries
from tests.jobs.conftest import MONITOR
from tests.server.receivers import http_receiver

Driftline = Callable[..., Result]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
OWN = """
name: own
trigger: {type: recurrence, frequency: day}
create_monitor:
  monitoring_signals:
    own:
      type: custom
      component_id: own:run
      input_data: {rows: {input_data: {path: in.parquet}}}
      metric_thresholds: [{metric_name: deviation, threshold: 2}]
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A folder with one monitor."""
    file = tmp_path / "conf" / "monitors" / "tiny.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(MONITOR)
    return tmp_path / "conf"


def said(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    return result.output


def listed(driftline: Driftline, what: str) -> list[dict[str, Any]]:
    return json.loads(said(driftline(what, "list", "--format", "json")))


def test_files_are_applied_once_somebody_says_yes(driftline, conf):
    refused = CliRunner().invoke(app, ["apply", str(conf)], input="n\n")
    assert "nothing was changed" in refused.output
    assert listed(driftline, "monitors") == []
    assert "1 change applied" in said(driftline("apply", conf, "--yes"))
    assert "nothing to do" in said(driftline("apply", conf, "--yes"))
    (conf / "monitors" / "tiny.yaml").write_text(MONITOR.replace("0.1}", "0.5}"))
    text = said(driftline("apply", conf, "--yes"))
    assert "~ change monitor tiny" in text
    assert "+        numerical: {population_stability_index: 0.5}" in text
    assert [each["version"] for each in listed(driftline, "monitors")] == [2]


def test_what_is_exported_means_the_same_and_overwrites_nothing(driftline, conf, tmp_path):
    driftline("apply", conf, "--yes")
    out = tmp_path / "out"
    said(driftline("export", out))
    assert "nothing to do" in said(driftline("apply", out, "--yes"))
    (out / "monitors" / "tiny.yaml").write_text("mine")
    assert "--force" in said(driftline("export", out), 5)
    assert (out / "monitors" / "tiny.yaml").read_text() == "mine"
    said(driftline("export", out, "--force"))


def test_monitors_are_muted_switched_and_deleted_with_who_did_it(driftline, conf):
    driftline("apply", conf, "--yes")
    said(driftline("monitors", "mute", "tiny", "--until", "2026-12-01", "--reason", "known outage"))
    said(driftline("monitors", "disable", "tiny"))
    (row,) = listed(driftline, "monitors")
    assert (row["evaluated"], row["tells"]) == ("disabled", "muted until 1 Dec 2026 00:00 UTC (known outage)")
    said(driftline("monitors", "unmute", "tiny"))
    said(driftline("monitors", "enable", "tiny"))
    history = said(driftline("monitors", "show", "tiny"))
    actions = [line.split()[6] for line in history.splitlines() if "cli:" in line]
    assert actions == ["enable", "unmute", "disable", "mute", "create"]
    assert "did you mean tiny" in said(driftline("monitors", "mute", "tinny"), 5)
    said(driftline("monitors", "delete", "tiny", "--yes"))
    assert listed(driftline, "monitors") == []


def test_a_key_is_shown_once_and_can_be_revoked(driftline):
    secret = said(driftline("keys", "create", "ci", "--role", "editor")).split()[0]
    assert secret.startswith("driftline_")
    assert secret not in said(driftline("keys", "list"))
    said(driftline("keys", "revoke", "ci"))
    (row,) = listed(driftline, "keys")
    assert (row["role"], row["revoked"] is None) == ("editor", False)
    assert driftline("keys", "create", "x", "--role", "king").exit_code == 2


def test_a_run_is_queued_by_hand_and_seen(driftline, conf):
    driftline("apply", conf, "--yes")
    assert "no run of 'tiny'" in said(driftline("runs", "show", "tiny"), 5)
    said(driftline("runs", "retry", "tiny", "--at", "2024-03-02T03:15Z"))
    (run,) = listed(driftline, "runs")
    assert (run["monitor"], run["state"], run["scheduled_for"]) == ("tiny", "queued", "2024-03-02T03:15:00Z")
    assert "has no log" in said(driftline("runs", "logs", "tiny"), 5)
    assert "still to come" in said(driftline("runs", "retry", "tiny", "--at", "2124-03-02T03:15Z"), 5)


def test_an_integration_is_kept_tested_and_forgotten(driftline):
    with http_receiver(200, 503) as receiver:
        words = ["integrations", "create", "ops", "--provider", "webhook", "--url", receiver.url, "--allow-private"]
        made = CliRunner().invoke(app, words, input="s3cret")
        assert made.exit_code == 0, made.output
        assert "200" in said(driftline("integrations", "test", "ops"))
        assert "503" in said(driftline("integrations", "test", "ops"), 5)
    assert "s3cret" not in said(driftline("integrations", "list"))
    said(driftline("integrations", "delete", "ops"))
    assert listed(driftline, "integrations") == []


def test_dead_messages_are_seen_and_sent_again(driftline, tmp_path):
    assert listed(driftline, "deliveries") == []
    database = Database(str(tmp_path / ".driftline" / "registry.db"))
    with database.session() as session:
        enqueue(session, [Parcel("k", "email", "ada@example.com", Message("a subject", "text"))], NOW)

    def refuse(_: Parcel) -> str:
        raise DeliveryError("550 unknown", hopeless=True)

    Outbox(database, refuse, Retries()).step(NOW)
    database.close()
    (row,) = listed(driftline, "deliveries")
    assert (row["state"], row["answer"], row["subject"]) == ("dead", "550 unknown", "a subject")
    said(driftline("deliveries", "retry", row["delivery"]))
    assert [each["state"] for each in listed(driftline, "deliveries")] == ["queued"]
    assert "no dead delivery" in said(driftline("deliveries", "retry", row["delivery"]), 5)


def test_monitors_say_when_they_are_due_and_what_keeps_them_from_it(driftline, conf):
    now = datetime.now(UTC)
    paused = f"create_monitor:\n  downtime: {{start: {now - timedelta(hours=1):%Y-%m-%dT%H:%M}Z, hours: 30}}"
    (conf / "assets.yaml").write_text("assets: []\n")
    (conf / "components").mkdir()
    (conf / "components" / "own.py").write_text("def run(**given): ...\n")
    for name, text in {"paused": MONITOR.replace("create_monitor:", paused), "own": OWN}.items():
        (conf / "monitors" / f"{name}.yaml").write_text(text.replace("name: tiny", f"name: {name}"))
    said(driftline("apply", conf, "--yes"))
    (conf / "components" / "own.py").unlink()
    rows = {each["monitor"]: each for each in listed(driftline, "monitors")}
    assert rows["tiny"]["evaluated"] == "enabled"
    due = datetime.fromisoformat(rows["tiny"]["due_next"])
    assert (due - now < timedelta(days=1), due.hour, due.minute) == (True, 3, 15)
    end = datetime.fromisoformat(rows["paused"]["due_next"])
    assert end >= now + timedelta(hours=28)
    assert rows["paused"]["evaluated"].startswith("in downtime until ")
    assert rows["own"]["evaluated"].startswith("cannot be loaded: there is no module 'own' in ")
    assert rows["own"]["due_next"] is None
    shown = said(driftline("monitors", "show", "paused"))
    assert "every day at 03:15 UTC, downtime of 30 hours from " in shown
    assert "own.component_id: there is no module 'own'" in said(driftline("monitors", "show", "own"))
