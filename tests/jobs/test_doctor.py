"""Is everything in order, and what is to be done where it is not?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.checkup import UnwellError
from jobs.machine_checkups import agreed
from server.database import Database
from tests.conftest import free_port
from tests.server.receivers import smtp_server

ROOT = Path(__file__).parents[2]
ALL = ["java", "store", "disk of store", "disk of state", "clock of files", "registry", "mail"]
OF_REGISTRY = ["clock of the registry", "definitions", "contacts", "secrets"]


@pytest.fixture
def doctor(driftline, tmp_path):
    """What is found, by name, with the exit code."""

    def ask(*words, settings: str = "") -> tuple[dict[str, dict], int]:
        if settings:
            (tmp_path / "server.yaml").write_text(settings)
            words = ("--settings", "server.yaml", *words)
        result = driftline("doctor", "--format", "json", *words)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return {each["name"]: each for each in json.loads(result.stdout)}, result.exit_code

    return ask


def wrong(found: dict[str, dict]) -> list[str]:
    return [name for name, each in found.items() if not each["well"]]


def test_before_anything_is_there_all_is_well_and_nothing_is_made(doctor, tmp_path):
    found, code = doctor()
    assert ([*found], wrong(found), code) == (ALL, [], 0)
    assert "not there yet" in found["store"]["said"]
    assert "not there yet" in found["registry"]["said"]
    assert [*tmp_path.iterdir()] == []


def test_each_check_is_a_line_for_people(driftline, tiny):
    assert driftline("apply", tiny, "--yes").exit_code == 0
    lines = driftline("doctor").stdout.splitlines()
    assert [line[2:24].strip() for line in lines if line.startswith("✓")] == [*ALL[:-1], *OF_REGISTRY, ALL[-1]]
    assert "1 enabled monitor" in "\n".join(lines)
    assert lines[-1] == "all is well"


def test_a_store_is_written_and_left_as_it_was(doctor, filled_store):
    before = sorted(Path(filled_store).iterdir())
    found, code = doctor("--store", filled_store)
    assert (found["store"]["said"], code) == (f"{filled_store} can be read and written", 0)
    assert sorted(Path(filled_store).iterdir()) == before


def test_a_store_that_cannot_be_written_is_found(doctor, tmp_path):
    (tmp_path / "file").write_text("no folder")
    found, code = doctor("--store", tmp_path / "file")
    assert (wrong(found), code) == (["store"], 4)
    assert found["store"]["hint"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [('openjdk version "17.0.9" 2023', None), ('java version "1.8.0_392"', "Java 17"), ("what?", "does not run")],
)
def test_java_is_asked_for_its_version(doctor, tmp_path, monkeypatch, said, expected):
    java = tmp_path / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    found, code = doctor()
    if expected is None:
        assert (found["java"]["well"], code) == (True, 0)
    else:
        assert expected in found["java"]["said"] + found["java"]["hint"]
        assert code == 1


def test_no_java_is_found(doctor, monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found, code = doctor()
    assert (found["java"]["said"], code) == ("there is no java on the PATH", 1)


def test_a_registry_out_of_reach_is_said_once_and_without_its_password(doctor, monkeypatch):
    monkeypatch.setenv("DRIFTLINE_DATABASE", f"postgresql://ada:hidden@127.0.0.1:{free_port()}/none")
    found, code = doctor()
    assert (wrong(found), code) == (["registry"], 5)
    assert [*found] == ALL
    assert "hidden" not in json.dumps(found)


def test_clocks_that_differ_are_told_apart():
    assert agreed(timedelta(seconds=-3), "the other") == "the other agrees within 10 s"
    with pytest.raises(UnwellError, match="the other is 90 s behind this machine's clock"):
        agreed(timedelta(seconds=-90), "the other")
    with pytest.raises(UnwellError, match="ahead of"):
        agreed(timedelta(seconds=90), "the other")


def test_a_definition_whose_data_is_gone_is_found(doctor, driftline, tiny, tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "assets.yaml").write_text("assets: [{name: rows, version: 1, path: rows.parquet}]")
    text = tiny.read_text().replace("{path: production.parquet}", "{path: azureml:rows:1}")
    (tmp_path / "conf" / "tiny.yaml").write_text(text)
    assert driftline("apply", "conf", "--yes").exit_code == 0
    with Database(".driftline/registry.db").session() as session:
        session.connection().exec_driver_sql("DELETE FROM library_files")
    found, code = doctor()
    assert (wrong(found), code) == (["definitions"], 2)
    assert found["definitions"]["said"].startswith("monitors/tiny.yaml:9: ")
    assert "no asset is named 'rows'" in found["definitions"]["said"]


def test_an_integration_that_is_named_and_not_there_is_found(doctor, driftline, tiny, tmp_path):
    told = tiny.read_text().replace("create_monitor:", "create_monitor:\n  alert_notification: {integrations: [ops]}")
    (tmp_path / "told.yaml").write_text(told.replace("path: ", f"path: {tiny.parent}/"))
    assert driftline("apply", tmp_path / "told.yaml", "--yes").exit_code == 0
    found, code = doctor()
    assert (wrong(found), code) == (["contacts"], 5)
    assert found["contacts"]["said"] == "ops, which tiny would tell, is no integration"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_mail_is_logged_in_to_and_nothing_sent(doctor, driftline, tiny, tmp_path, monkeypatch):
    told = tiny.read_text().replace("create_monitor:", "create_monitor:\n  alert_notification: {emails: [a@b.c]}")
    file = tmp_path / "told.yaml"
    file.write_text(told.replace("path: ", f"path: {tiny.parent}/"))
    assert driftline("apply", file, "--yes").exit_code == 0
    found, code = doctor()
    assert (wrong(found), found["mail"]["hint"], code) == (["mail"], "set smtp in the settings", 5)
    with smtp_server(password="right") as box:
        settings = f"smtp: {{host: 127.0.0.1, port: {box.port}, security: none, user: ada}}\n"
        monkeypatch.setenv("DRIFTLINE_SMTP_PASSWORD", "right")
        assert doctor(settings=settings)[1] == 0
        found, code = doctor(settings=settings.replace("none", "starttls"))
        assert (wrong(found), code) == (["mail"], 5)
        assert "STARTTLS" in found["mail"]["said"]
        assert box.mails == []
    assert "refused" in doctor(settings=settings)[0]["mail"]["said"]


def test_secrets_that_another_key_sealed_are_found(doctor, driftline, tiny, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from jobs.cli import app

    made = CliRunner().invoke(
        app, ["integrations", "create", "ops", "--provider", "webhook", "--url", "http://x.example"], input="a key"
    )
    assert made.exit_code == 0, made.output
    assert doctor()[0]["secrets"]["said"] == "those of ops can be opened"
    (tmp_path / ".driftline" / "server" / "secret.key").unlink()
    found, code = doctor()
    assert (wrong(found), code) == (["secrets"], 5)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_state_folder_that_cannot_be_written_is_found(doctor, tmp_path):
    (tmp_path / "state").mkdir(mode=0o500)
    found, code = doctor(settings="state: state\n")
    assert (wrong(found), code) == (["clock of files"], 4)


def test_settings_that_are_wrong_are_told_as_a_definition_is(driftline, tmp_path):
    (tmp_path / "server.yaml").write_text("stroe: here\n")
    result = driftline("doctor", "--settings", "server.yaml")
    assert result.exit_code == 2
    assert "did you mean store?" in result.output


@pytest.mark.parametrize(("master", "code"), [("local[1]", 0), ("no-such-master", 1)])
def test_spark_is_started_on_demand(tmp_path, master, code):
    (tmp_path / "server.yaml").write_text(f"launcher: {{master: '{master}'}}\n")
    words = [sys.executable, "-m", "jobs.cli", "doctor", "--spark", "--settings", "server.yaml"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("✗ spark" if code else "✓ spark") in done.stdout
    assert ("Spark did not start" in done.stdout) == bool(code)
