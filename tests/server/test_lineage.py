"""A run in OpenLineage's words: what the specification asks for, which data, which breaches; sending may fail."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from engine.definitions.shape import Shape
from engine.errors import DefinitionError
from engine.results import RunStatus
from engine.store import Store
from server.lineage import dataset_of, events_of, lineage_id
from server.lineage_sinks import Lineage, to_file, to_url
from server.rows import run_rows
from server.settings import read_settings
from tests.conftest import free_port
from tests.jobs.conftest import AT, a_row, a_run
from tests.server.conftest import NOW
from tests.server.receivers import http_receiver

PRINTS = {"/data/inputs": "files:3:abc", "s3://bucket/base/line": "files:1:def", "outcomes of performance": "1:2"}


@pytest.fixture
def store(tmp_path) -> Store:
    """A run with one breach, one calm check, and one that was not judged."""
    made, run = Store(tmp_path / "store"), a_run(fingerprints=PRINTS, finished_at=AT + timedelta(minutes=2))
    made.write([run], [a_row(run, "distance", 0.4), a_row(run, "carrier", 0.05), a_row(run, "dest", None)])
    return made


def events(store: Store, error: str | None = None) -> list[Any]:
    run, rows = run_rows(store, "flights", AT) or (None, ())
    return json.loads(json.dumps(events_of("flights", AT, run, rows, store.uri, NOW, error, "team")))


def facets_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    groups = [block.get(name, {}) for block in blocks for name in ("facets", "inputFacets", "outputFacets")]
    return [facet for group in groups for facet in group.values()]


@pytest.mark.parametrize("error", [None, "killed (137)"])
def test_every_field_that_the_specification_requires_is_there(store, error, tmp_path):
    for event in events(store if error is None else Store(tmp_path / "none"), error):
        assert {"eventTime", "producer", "schemaURL", "run", "job"} <= set(event)
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
        assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
        assert str(UUID(event["run"]["runId"])) == event["run"]["runId"]
        assert (event["job"]["namespace"], event["job"]["name"]) == ("team", "flights")
        assert all(each["namespace"] and each["name"] for each in (*event["inputs"], *event["outputs"]))
        assert len(facets_of(event)) >= 2
        assert all(each["_producer"] == event["producer"] and each["_schemaURL"] for each in facets_of(event))


def test_a_run_starts_and_completes_with_its_data_and_its_breaches(store):
    start, end = events(store)
    assert [start["eventType"], end["eventType"]] == ["START", "COMPLETE"]
    assert [start["eventTime"], end["eventTime"]] == ["2013-07-02T03:15:00Z", "2013-07-02T03:17:00Z"]
    assert start["run"]["runId"] == end["run"]["runId"] == str(lineage_id("team", "flights", AT))
    found = {(each["namespace"], each["name"]): each["facets"]["version"]["datasetVersion"] for each in end["inputs"]}
    assert found == {("file", "/data/inputs"): "files:3:abc", ("s3://bucket", "base/line"): "files:1:def"}
    (output,) = end["outputs"]
    assert (output["namespace"], output["name"]) == ("file", f"{store.uri}/signal_metrics")
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 3
    facet = end["run"]["facets"]["driftline_breaches"]
    assert (facet["checks"], facet["breached"]) == (2, 1)
    (breach,) = facet["breaches"]
    assert (breach["group"], breach["metric_value"], breach["threshold_value"]) == ("distance", 0.4, 0.1)
    assert "errorMessage" not in end["run"]["facets"]


def test_a_run_that_failed_says_why(tmp_path):
    store = Store(tmp_path / "store")
    store.write([a_run(status=RunStatus.FAILED, error="inputs: no such file")], [])
    _, end = events(store)
    assert end["eventType"] == "FAIL"
    assert end["run"]["facets"]["errorMessage"]["message"] == "inputs: no such file"
    assert end["run"]["facets"]["errorMessage"]["programmingLanguage"] == "Python"


def test_a_process_that_left_no_record_has_failed_now(tmp_path):
    start, end = events(Store(tmp_path / "none"), "it was killed (137)")
    assert (end["eventType"], end["eventTime"]) == ("FAIL", "2026-11-26T12:00:00Z")
    assert (start["inputs"], end["run"]["facets"]["errorMessage"]["message"]) == ([], "it was killed (137)")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("/data/in puts", ("file", "/data/in puts")),
        ("file:///data/inputs", ("file", "/data/inputs")),
        ("s3://bucket/a/b/", ("s3://bucket", "a/b")),
        ("abfss://box@account.dfs.core.windows.net/a", ("abfss://box@account.dfs.core.windows.net", "a")),
        ("gs://bucket", ("gs://bucket", "/")),
        ("catalog.schema.table", ("spark", "catalog.schema.table")),
        ("/data/inputs through cleaning", ("file", "/data/inputs")),
    ],
)
def test_datasets_have_the_names_of_the_conventions(title, expected):
    found = dataset_of(title)
    assert (found["namespace"], found["name"]) == expected


def test_a_run_has_one_id_and_no_other_run_has_it():
    ids = {lineage_id(space, name, at) for space in "ab" for name in "cd" for at in (AT, NOW)}
    assert len(ids) == 8
    assert lineage_id("a", "c", AT) in ids


def test_a_file_has_a_line_for_each_event(store, tmp_path):
    for _ in range(2):
        lineage = Lineage(to_file(tmp_path / "new" / "lineage.jsonl"), store)
        lineage.ended("flights", AT, None, NOW)
        lineage.close()
    lines = (tmp_path / "new" / "lineage.jsonl").read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", "COMPLETE"] * 2


def test_a_url_is_sent_each_event_with_its_key(store):
    with http_receiver() as receiver:
        lineage = Lineage(to_url(receiver.url, "s3cret"), store)
        lineage.ended("flights", AT, None, NOW)
        lineage.close()
    assert [json.loads(each.body)["eventType"] for each in receiver.requests] == ["START", "COMPLETE"]
    assert {each.headers["Authorization"] for each in receiver.requests} == {"Bearer s3cret"}


@pytest.mark.parametrize("broken", ["refused", "500", "folder", "store"])
def test_what_goes_wrong_is_logged_and_harms_nobody(store, tmp_path, caplog, broken):
    caplog.set_level(logging.WARNING, "driftline.server")
    with http_receiver(500, 500) as receiver:
        sink = {
            "refused": to_url(f"http://127.0.0.1:{free_port()}/"),
            "500": to_url(receiver.url, "s3cret"),
            "folder": to_file(tmp_path),
            "store": to_file(tmp_path / "lines"),
        }[broken]
        if broken == "store":
            log = next(Path(store.uri, "runs", "_delta_log").glob("*.json"))
            log.write_text("no commit")
        lineage = Lineage(sink, store)
        lineage.ended("flights", AT, None, NOW)
        lineage.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "flights" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_stop_waits_for_one_that_does_not_listen_and_no_more(store):
    asked = []

    def deaf(events):
        asked.append(events)
        raise OSError("nobody listens")

    lineage = Lineage(deaf, store)
    lineage._closing = True
    for _ in range(5):
        lineage.ended("flights", AT, None, NOW)
    lineage.close()
    assert len(asked) == 1


def test_settings_name_a_file_or_a_url(tmp_path):
    def read(text: str) -> Shape | None:
        (tmp_path / "server.yaml").write_text(f"openlineage: {text}\n")
        return read_settings(tmp_path / "server.yaml", {}).openlineage

    assert read("{file: lineage.jsonl}")
    assert read("{url: 'http://127.0.0.1:5000/api/v1/lineage', namespace: team}")
    for wrong in ("{}", "{file: a, url: b}"):
        with pytest.raises(DefinitionError, match="needs either a file or a url"):
            read(wrong)
