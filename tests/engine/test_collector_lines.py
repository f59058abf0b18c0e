"""What a line of the collector says, and how JSON values become columns; without Spark."""

import json
import math
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.collector.columns import TYPES, Kind, as_array, column_type, count_kinds
from engine.collector.files import folder_time, layout_of
from engine.collector.lines import Event, read_line
from engine.collector.looks import Look, look_at
from engine.collector.payloads import read_payload, rows_of
from engine.collector.reading import Layout, chunks_of
from engine.collector.troubles import Trouble, TroubleError, Troubles
from engine.windows import Window
from tests.engine.collected import event

AT = datetime(2024, 3, 9, 5, 59, 30, tzinfo=UTC)


def line(*rows: object, **more) -> bytes:
    return json.dumps(event(AT, [*rows], **more)).encode()


def read(*lines: bytes, size: int = 100) -> tuple[Look, Troubles]:
    troubles = Troubles()
    return look_at(chunks_of(lines, _nothing, troubles, size), troubles, ()), troubles


def _nothing(reference: str) -> object:
    raise TroubleError(Trouble.REFERENCE, f"{reference}: no such file")


def columns(lines: list[bytes], layout: Layout) -> dict[str, list]:
    found = list(chunks_of(lines, _nothing, Troubles(), 3))
    return {
        name: [value for chunk in found for value in chunk.array(name, layout).to_pylist()] for name in layout.columns
    }


def test_a_line_is_an_event_with_its_envelope_and_its_data():
    found = read_line(line({"x": 1}))
    assert isinstance(found, Event)
    assert (found.data, found.reference) == ([{"x": 1}], None)
    assert found.attributes["correlationid"] == "c"
    assert set(found.attributes) == {"correlationid", "time", "xrequestid", "modelversion", "source", "type"}
    assert read_line(b"  \r\n") is None
    assert read_line(b"\xef\xbb\xbf" + line({"x": 1})) == found


@pytest.mark.parametrize(
    "broken",
    [
        line({"x": 1})[:-9], b"not json", b"\x00\xff\xfe", b"[1, 2]", b"{}", b'{"specversion": "1.0"}', b'"text"',
        b'{"data": [{"x": 1}]}', b"[" * 200_000,
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_trouble_and_never_a_crash(broken):
    with pytest.raises(TroubleError) as raised:
        read_line(broken)
    assert raised.value.trouble is Trouble.LINE
    assert raised.value.why


def test_a_payload_may_lie_elsewhere():
    away = event(AT, None, dataref="https://account.blob/x.json")
    assert read_line(json.dumps(away).encode()).reference == "https://account.blob/x.json"
    large = event(AT, "https://account.blob/x", datainblob="true")
    assert read_line(json.dumps(large).encode()).reference == "https://account.blob/x"
    both = event(AT, [{"x": 1}], dataref="https://account.blob/x.json")
    assert read_line(json.dumps(both).encode()).reference is None


@pytest.mark.parametrize(
    ("data", "rows", "places", "odd"),
    [
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}], [0, 1], 0),
        ([], [], [], 0),
        ([{"a": 1}, None, 3, {"b": 2}], [{"a": 1}, {"b": 2}], [0, 3], 2),
        ({"a": 1, "b": [1, 2]}, [{"a": 1, "b": [1, 2]}], [0], 0),
        ({"columns": ["a", "b"], "data": [[1, 2], [3], [4, 5]]}, [{"a": 1, "b": 2}, {"a": 4, "b": 5}], [0, 2], 1),
        ({"columns": ["a"], "index": [7], "data": [[1]]}, [{"a": 1}], [0], 0),
        ({"dataframe_split": {"columns": ["a"], "data": [[1]]}}, [{"a": 1}], [0], 0),
        ({"dataframe_records": [{"a": 1}, {"a": 2}]}, [{"a": 1}, {"a": 2}], [0, 1], 0),
        ({"input_data": {"columns": ["a"], "index": [0], "data": [[1]]}}, [{"a": 1}], [0], 0),
        ({"input_data": 3}, [{"input_data": 3}], [0], 0),
        ({"columns": "a", "data": 1}, [{"columns": "a", "data": 1}], [0], 0),
    ],
)
def test_a_payload_is_an_array_of_rows_or_one_row_or_a_split_table(data, rows, places, odd):
    found = rows_of(data)
    assert ([*found.rows], [*found.places], found.odd) == (rows, places, odd)


@pytest.mark.parametrize("data", ["text", 3, None, True, [1.5, 2.5], [[1, 2]]])
def test_a_payload_without_named_columns_is_no_table(data):
    with pytest.raises(TroubleError, match="pre_processing_component") as raised:
        rows_of(data)
    assert raised.value.trouble is Trouble.FORM


def test_a_payload_of_its_own_file_is_one_json_value_or_an_object_on_each_line():
    assert read_payload(b'\xef\xbb\xbf[{"a": 1},\n {"a": 2}]') == [{"a": 1}, {"a": 2}]
    assert read_payload(b'{"a": 1}\n\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    with pytest.raises(ValueError, match="Expecting"):
        read_payload(b"<html>")


def test_rows_of_one_event_are_told_apart_by_their_place_in_it():
    lines = [
        line({"x": 1}, {"x": 2}, None, {"x": 3}, correlation="test"),
        line({"x": 4}, correlation="one"),
        line({"x": 5}, correlation=None),
    ]
    look, troubles = read(*lines)
    found = columns(lines, layout_of([look]))
    assert found["x"] == [1, 2, 3, 4, 5]
    assert found["correlationid"] == ["test_0", "test_1", "test_3", "one_0", None]
    assert found["time"] == [AT] * 5
    assert found["modelversion"] == ["1"] * 5
    assert troubles.notes("t") == ["t: rows left out that are no JSON objects: 1 (first: line 1)"]


def test_a_rows_own_column_keeps_its_name_and_the_envelopes_moves_aside():
    own = {"time": 12.5, "correlationid": "mine", "id": 3, "source": "web", "event_source": "app"}
    look, _ = read(line(own))
    layout = layout_of([look])
    assert {layout.envelope[name]: name for name in layout.envelope} == {
        "correlationid": "event_correlationid",
        "time": "event_time",
        "xrequestid": "xrequestid",
        "modelversion": "modelversion",
        "source": "event_event_source",
        "type": "type",
    }
    found = columns([line(own)], layout)
    assert {name: found[name] for name in own} == {name: [value] for name, value in own.items()}
    assert (found["event_time"], found["event_correlationid"]) == ([AT], ["c_0"])


def test_a_look_says_what_is_in_a_file_and_travels_as_text():
    later = line({"x": 1.5, "y": "a"}, {"x": None}, {"x": "n/a", "z": [1, 2]})
    undated = json.dumps(event("yesterday", [{"x": 2}])).encode()
    look, _ = read(line({"x": 1}), later, undated, b"{", b"", size=2)
    assert (look.rows, look.undated) == (5, 1)
    instant = int(AT.timestamp() * 1e6)
    assert look.stretches == ((instant, instant),)
    assert look.kinds == {
        "x": {Kind.INTEGER: 2, Kind.DOUBLE: 1, Kind.TEXT: 1}, "y": {Kind.TEXT: 1}, "z": {Kind.NUMBERS: 1},
    }  # fmt: skip
    assert look.types == ("azureml.inference.model_inputs",)
    assert look.troubles[Trouble.LINE][0] == 1
    assert Look.of_text(look.text()) == look
    assert layout_of([look]).mixed == {"x"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([1, 2**70], pa.float64()),
        ([1, 2.0, None], pa.int64()),  # as pandas writes integers where one is missing
        ([1, 2.0, 2.5], pa.float64()),
        ([1.0, 2.0], pa.float64()),
        ([1, 1e300], pa.float64()),
        ([1, math.nan, math.inf], pa.float64()),
        ([True, None], pa.bool_()),
        (["a", "b", 1], pa.string()),
        ([1, 2, 3, "a", True], pa.int64()),
        (["a", 1], pa.int64()),
        ([True, True, "a"], pa.bool_()),
        ([[1, 2.5], [None], []], pa.list_(pa.float64())),
        ([["a"], ["b", None]], pa.list_(pa.string())),
        ([{"a": 1}, [[1]], ["a", 1]], pa.binary()),
        ([None, None], pa.null()),
        ([], pa.null()),
    ],
)
def test_a_columns_type_is_that_of_most_of_its_values(values, kind):
    assert column_type(count_kinds(values)) == kind


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 3], pa.int64(), pa.array([1, None, 3])),
        ([1, 2.0, None], pa.int64(), pa.array([1, 2, None])),
        ([1, 2.5], pa.int64(), pa.array([1.0, 2.5])),
        ([1, 2.5], pa.float64(), pa.array([1.0, 2.5])),
        ([1, 2], pa.float64(), pa.array([1, 2])),
        ([2**53 + 1, 0.5], pa.float64(), pa.array([float(2**53 + 1), 0.5])),
        ([2**70, -(10**400)], pa.float64(), pa.array([float(2**70), -math.inf])),
        ([1.5, "n/a", None, True], pa.float64(), pa.array(["1.5", "n/a", None, "true"])),
        ([1e-7, "a", [1], {"b": None}], pa.float64(), pa.array(["1e-07", "a", "[1]", '{"b": null}'])),
        ([True, None], pa.bool_(), pa.array([True, None])),
        ([True, 1], pa.bool_(), pa.array(["true", "1"])),
        ([True], pa.int64(), pa.array(["true"])),
        (["a", 1], pa.string(), pa.array(["a", "1"])),
        (["\ud800", None], pa.string(), pa.array(["?", None])),
        ([None, None], pa.float64(), pa.nulls(2, pa.float64())),
        ([None], pa.null(), pa.nulls(1)),
        ([[1, 2**60 + 1, None], "a", ["b"], [], None], pa.list_(pa.float64()),
         pa.array([[1.0, float(2**60 + 1), None], None, None, [], None])),
        ([["a"], [1], []], pa.list_(pa.string()), pa.array([["a"], None, []])),
        ([{"a": [1]}, None, 2], pa.binary(), pa.array([b'{"a": [1]}', None, b"2"])),
    ],
)  # fmt: skip
def test_values_are_an_array_of_the_type_or_texts_where_some_are_of_another(values, kind, expected):
    found = as_array(values, kind)
    assert found.type == expected.type
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ("/a/model_inputs/2024/03/09/05/x.jsonl", "2024-03-09T05", "2024-03-09T06"),
        ("/a/2024/03/09/05/07/x.jsonl", "2024-03-09T05:07", "2024-03-09T05:08"),
        ("bucket/2024/12/31/x.jsonl", "2024-12-31", "2025-01-01"),
        ("2024/12/x.jsonl", "2024-12-01", "2025-01-01"),
        ("/2023/01/run/2024/03/09/05/x.jsonl", "2024-03-09T05", "2024-03-09T06"),
    ],
)
def test_a_folder_tells_when_its_files_were_written(path, start, end):
    moments = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert folder_time(path) == Window(*moments)


@pytest.mark.parametrize("path", ["/a/x.jsonl", "/2024/x.jsonl", "/2024/13/x.jsonl", "/2024/02/30/x.jsonl", "x.jsonl"])
def test_a_folder_that_tells_no_time_is_always_looked_into(path):
    assert folder_time(path) is None


def test_a_column_that_no_text_can_name_is_left_out():
    look, _ = read(b'{"specversion": "1.0", "time": "2024-03-09T05:00:00Z", "data": {"\\ud800": 1, "x": 2}}')
    assert set(layout_of([look]).columns) == {"x", "time", "correlationid"}


def test_an_events_time_is_iso_text_or_an_epoch_and_without_one_it_is_undated():
    times = ["2024-03-09T06:00:00Z", "2024-03-09T07:00:00.5+01:00", 1709964000, 1709964000000, "\ud800", None, True]
    lines = [json.dumps(event(AT, [{"x": 1}]) | {"time": time}).encode() for time in times]
    six = datetime(2024, 3, 9, 6, tzinfo=UTC)
    for each, expected in zip(lines, [six, six.replace(microsecond=500_000), six, six, None, None, None], strict=True):
        assert columns([each], layout_of([read(each)[0]]))["time"] == [expected]
    together = lines[:3] + lines[4:]
    assert columns(together, layout_of([read(*together)[0]]))["time"][:4] == [
        six,
        six.replace(microsecond=500_000),
        six,
        None,
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(JSON, max_size=8), st.sampled_from([*TYPES.values(), pa.int64(), pa.float64(), pa.null()]))
def test_whatever_a_column_holds_it_is_an_array_with_a_place_for_each_value(values, other):
    for kind in (column_type(count_kinds(values)), other):
        found = as_array(values, kind)
        assert len(found) == len(values)
        assert all(value is not None or not found[place].is_valid for place, value in enumerate(values))
    assert sum(count_kinds(values).values()) == sum(value is not None for value in values)


@given(st.lists(JSON, max_size=5), st.lists(st.binary(max_size=20), max_size=3), JSON)
def test_whatever_is_in_a_file_it_is_read_or_counted(payloads, noise, attribute):
    events = [
        event(AT, None) | {"data": payload, "time": attribute, "correlationid": attribute} for payload in payloads
    ]
    # Python writes NaN and half surrogate pairs as JSON, and reads them.
    lines = [*(json.dumps(each).encode() for each in events), *(each.replace(b"\n", b"") for each in noise)]
    look, troubles = read(*lines, size=2)
    held = columns(lines, layout_of([look]))
    assert {len(values) for values in held.values()} <= {look.rows}
    left_out = sum(count for trouble, (count, _) in troubles.found.items() if trouble is Trouble.FORM)
    assert left_out == sum(not _is_table(payload) for payload in payloads)


def _is_table(payload: object) -> bool:
    if isinstance(payload, list):
        return not payload or any(isinstance(each, dict) for each in payload)
    return isinstance(payload, dict)
