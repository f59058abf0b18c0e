"""Files into the registry and back, and what can be done with what is in it, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine.monitor import Monitor
from engine.store import Store
from jobs.cli import app
from server.database import Database
from server.message import Message
from server.outbox import DeliveryError, Outbox, Parcel, enqueue
from server.policies import Retries
from server.queue import Queue
from server.telling import tell
from tests.jobs.conftest import AT
from tests.server.receivers import http_receiver
from tests.tiny import MONITOR

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
    assert "--yes does not ask" in said(driftline("apply", conf), 1)  # there is nobody to ask
    assert listed(driftline, "monitors") == []
    assert "1 change applied" in said(driftline("apply", conf, "--yes"))
    assert "nothing to do" in said(driftline("apply", conf, "--yes"))
    (conf / "monitors" / "tiny.yaml").write_text(MONITOR.replace("0.1}", "0.5}"))
    text = said(driftline("apply", conf, "--yes"))
    assert "~ change monitor tiny" in text
    assert "+        numerical: {population_stability_index: 0.5}" in text
    assert [each["version"] for each in listed(driftline, "monitors")] == [2]


def test_what_is_exported_means_the_same_and_overwrites_nothing(driftline, conf, tmp_path):
    (conf / "models").mkdir()  # which is where the library is, so that components/ belongs to it
    (conf / "components").mkdir()
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
    muted = said(driftline("monitors", "mute", "tiny", "--until", "2126-12-01", "--reason", "known outage"))
    assert muted == "tiny tells nobody until 1 Dec 2126 00:00 UTC\n"
    assert "is over already" in said(driftline("monitors", "mute", "tiny", "--until", "2016-12-01"), 5)
    assert "not evaluated until it is enabled" in said(driftline("monitors", "disable", "tiny"))
    (row,) = listed(driftline, "monitors")
    assert (row["evaluated"], row["tells"]) == ("disabled", "muted until 1 Dec 2126 00:00 UTC (known outage)")
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


def test_a_run_is_queued_by_hand_and_seen(driftline, conf, tmp_path):
    driftline("apply", conf, "--yes")
    assert "no run of 'tiny'" in said(driftline("runs", "show", "tiny"), 5)
    said(driftline("runs", "retry", "tiny", "--at", "2024-03-02T03:15Z"))
    (run,) = listed(driftline, "runs")
    assert (run["monitor"], run["state"], run["scheduled_for"]) == ("tiny", "queued", "2024-03-02T03:15:00Z")
    assert "has no log" in said(driftline("runs", "logs", "tiny"), 5)
    Queue(Database(str(tmp_path / ".driftline" / "registry.db")), "me").take(datetime.now(UTC), 1)
    assert " s so far" in said(driftline("runs", "list"))
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


# ------------------------------------------------------------------------------------------------- whose it is


def audited(driftline: Driftline, *words: object) -> list[dict[str, Any]]:
    return json.loads(said(driftline("audit", "--format", "json", *words)))


def test_spaces_are_made_filled_listed_and_deleted_once_they_are_empty(driftline, conf):
    said(driftline("spaces", "create", "fraud", "--description", "card payments"))
    assert "is there already" in said(driftline("spaces", "create", "fraud"), 5)
    assert "is not a name of a space" in said(driftline("spaces", "create", " ? "), 5)
    assert "did you mean fraud?" in said(driftline("monitors", "list", "--space", "fruad"), 5)
    (conf / "models").mkdir()
    (conf / "models" / "shop.yaml").write_text("name: shop\nmodel_inputs: {input_data: {path: in.parquet}}\n")
    said(driftline("apply", conf, "--yes", "--space", "fraud"))
    (row,) = listed(driftline, "spaces")
    assert (row["space"], row["organization"], row["description"]) == ("fraud", "default", "card payments")
    assert (row["monitors"], row["models"]) == (1, 1)
    said(driftline("keys", "create", "ci", "--space", "fraud"))
    assert "still has the monitor tiny, the key ci" in said(driftline("spaces", "delete", "fraud"), 5)
    said(driftline("monitors", "delete", "tiny", "--yes", "--space", "fraud"))
    said(driftline("keys", "revoke", "ci"))
    said(driftline("spaces", "delete", "fraud"))
    assert "fraud" not in {each["space"] for each in listed(driftline, "spaces")}
    assert "no space is named 'fraud'" in said(driftline("spaces", "delete", "fraud"), 5)
    (key,) = listed(driftline, "keys")
    assert (key["space"], key["revoked"] is None) == (None, False)
    assert [(each["what"], each["kind"], each["name"]) for each in audited(driftline)][:3] == [
        ("delete", "space", "default/fraud"),
        ("delete", "model", "shop"),
        ("revoke", "api_key", "ci"),
    ]


def test_a_key_sees_one_space_where_one_is_named(driftline):
    said(driftline("spaces", "create", "fraud"))
    said(driftline("keys", "create", "ci"))
    said(driftline("keys", "create", "team", "--space", "fraud"))
    assert [each["space"] for each in listed(driftline, "keys")] == [None, "default/fraud"]
    assert "no space is named 'fruad'" in said(driftline("keys", "create", "typo", "--space", "fruad"), 5)
    assert [each["space"] for each in listed(driftline, "spaces")] == ["fraud"]


def test_organizations_own_spaces_and_the_first_one_need_not_be_named(driftline, conf):
    said(driftline("apply", conf, "--yes"))
    said(driftline("organizations", "rename", "default", "main"))
    said(driftline("organizations", "create", "acme", "--description", "bought in 2026"))
    assert "is there already" in said(driftline("organizations", "create", "acme"), 5)
    (conf / "monitors" / "tiny.yaml").write_text(MONITOR.replace("name: tiny", "name: other"))
    assert "no organization is named 'amce'" in said(driftline("apply", conf, "--yes", "--space", "amce/x"), 5)
    said(driftline("apply", conf, "--yes", "--space", "acme/default"))
    assert [each["monitor"] for each in listed(driftline, "monitors")] == ["tiny"]
    assert "tiny" in said(driftline("monitors", "list", "--space", "main/default"))
    assert "other" in said(driftline("monitors", "list", "--space", "acme/default"))
    owned = [(each["organization"], each["spaces"]) for each in listed(driftline, "organizations")]
    assert owned == [("main", 1), ("acme", 1)]
    assert "still has 1 space and 0 integrations" in said(driftline("organizations", "delete", "acme"), 5)
    said(driftline("monitors", "delete", "other", "--yes", "--space", "acme/default"))
    said(driftline("spaces", "delete", "acme/default"))
    said(driftline("organizations", "delete", "acme"))
    assert [each["organization"] for each in listed(driftline, "organizations")] == ["main"]
    done = [each["what"] for each in audited(driftline, "--kind", "organization")]
    assert done == ["delete", "create", "rename", "create"]


# ------------------------------------------------------------------------------------- how it stands, who changed it


def test_every_version_of_a_definition_is_kept_and_shown(driftline, conf):
    for threshold in ("0.1}", "0.5}"):
        (conf / "monitors" / "tiny.yaml").write_text(MONITOR.replace("0.1}", threshold))
        said(driftline("apply", conf, "--yes"))
    rows = json.loads(said(driftline("monitors", "versions", "tiny", "--format", "json")))
    lines = len(MONITOR.splitlines())
    assert [(each["version"], each["lines_added"], each["lines_removed"]) for each in rows] == [
        (2, 1, 1),
        (1, lines, 0),
    ]
    assert "0.1}" in said(driftline("monitors", "show", "tiny", "--version", 1))
    assert "the latest one is 2" in said(driftline("monitors", "show", "tiny", "--version", 3), 5)


def test_who_is_told_of_what_is_listed_with_integrations_that_are_not_there(driftline, conf):
    for name, more in {"tiny": ", integrations: [ops, pager]", "small": ""}.items():
        told = f"create_monitor:\n  alert_notification: {{emails: [ada@example.com]{more}}}"
        text = MONITOR.replace("create_monitor:", told).replace("name: tiny", f"name: {name}")
        (conf / "monitors" / f"{name}.yaml").write_text(text)
    said(driftline("apply", conf, "--yes"))
    words = ["integrations", "create", "ops", "--provider", "webhook", "--url", "https://ops.example.com/hook"]
    assert CliRunner().invoke(app, words, input="s3cret").exit_code == 0
    assert listed(driftline, "contacts") == [
        {"contact": "ada@example.com", "kind": "email", "monitors": ["small", "tiny"]},
        {"contact": "ops", "kind": "webhook", "monitors": ["tiny"]},
        {"contact": "pager", "kind": None, "monitors": ["tiny"]},
    ]
    assert "pager             does not exist: driftline integrations create" in said(driftline("contacts", "list"))
    assert "no space is named" in said(driftline("contacts", "list", "--space", "other"), 5)


def test_alerts_are_listed_with_since_when_and_at_which_value(driftline, conf, filled_store, tmp_path):
    told = "create_monitor:\n  alert_notification: {emails: [ada@example.com]}"
    text = MONITOR.replace("name: tiny", "name: flights").replace("create_monitor:", told)
    (conf / "monitors" / "tiny.yaml").write_text(text)
    said(driftline("apply", conf, "--yes"))
    database = Database(str(tmp_path / ".driftline" / "registry.db"))
    monitor = Monitor.from_yaml(conf / "monitors" / "tiny.yaml")
    for days in (1, 0):
        tell(database, Store(filled_store), monitor, AT - timedelta(days=days), now=NOW)
    database.close()
    first, *others = listed(driftline, "alerts")
    assert (first["check"], first["metric"]) == ("distance", "population_stability_index")
    assert (first["state"], first["since"], first["value"]) == ("triggered", "2013-07-01T03:15:00Z", 0.4)
    stand = {(each["check"], each["state"]) for each in others}
    assert stand == {("carrier", "cleared"), ("dest", "no_data"), ("flights", "cleared")}
    assert said(driftline("alerts", "list", "--state", "triggered")).count("flights") == 1
    assert "no alert is known" in said(driftline("alerts", "list", "--monitor", "other"))
    assert said(driftline("alerts", "list", "--space", "default")) == said(driftline("alerts", "list"))
    assert "no space is named" in said(driftline("alerts", "list", "--space", "other"), 5)
    assert "'bad' is not one of" in said(driftline("alerts", "list", "--state", "bad"), 2)


def test_the_audit_log_says_who_changed_what_and_when(driftline, conf):
    said(driftline("apply", conf, "--yes"))
    said(driftline("monitors", "mute", "tiny", "--reason", "known outage"))
    said(driftline("keys", "create", "ci"))
    assert [(each["what"], each["kind"], each["name"]) for each in audited(driftline)] == [
        ("create", "api_key", "ci"),
        ("mute", "monitor", "tiny"),
        ("create", "monitor", "tiny"),
        ("create", "space", "default/default"),
        ("create", "organization", "default"),
    ]
    (mute,) = audited(driftline, "--kind", "monitor", "--limit", 1)
    assert (mute["before"]["muted"], mute["after"]["mute_reason"]) == (False, "known outage")
    assert len(audited(driftline, "--name", "ci")) == 1
    assert audited(driftline, "--from", "2100-01-01") == []
    assert audited(driftline, "--who", "cli:nobody") == []
    assert {each["who"] for each in audited(driftline, "--who", mute["who"])} == {mute["who"]}
    assert "known outage" in said(driftline("audit"))
    said(driftline("runs", "retry", "tiny", "--at", "2024-03-02T03:15Z"))
    (run,) = audited(driftline, "--kind", "run")
    assert (run["what"], run["name"], run["after"]) == (
        "trigger",
        "tiny",
        {"scheduled_for": "2024-03-02T03:15:00+00:00"},
    )


@pytest.mark.parametrize("what", ["runs", "deliveries", "alerts"])
def test_a_state_that_is_none_is_refused_and_not_answered_with_nothing(driftline, what):
    assert "'faild' is not one of" in said(driftline(what, "list", "--state", "faild"), 2)


def test_what_cannot_be_written_is_said(driftline, conf, tmp_path):
    driftline("apply", conf, "--yes")
    (tmp_path / "a-file").touch()
    assert "a-file/monitors cannot be written: Not a directory" in said(driftline("export", tmp_path / "a-file"), 5)
