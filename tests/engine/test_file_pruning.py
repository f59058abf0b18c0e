"""No row that is wanted is ever left unread, and what certainly holds none is not even opened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import footers
from engine.batches import Span
from engine.errors import DataError
from engine.file_pruning import Cut, splits_of
from engine.file_set import FileSet
from engine.files import list_files
from engine.instants import instants_of
from engine.monitor import Columns
from engine.partitions import PartitionTime
from engine.windows import Window
from signals.segments import Condition, FilterOperator, Segment
from signals.timestamps import TimeFormat, read_instants

START = datetime(2013, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOCAL = pafs.LocalFileSystem()
EPOCHS = {"s": 10**6, "ms": 10**3, "us": 1}
KINDS = ["utc", "naive", "nanoseconds", "date", "s", "ms", "us", "seconds as doubles", "iso", "mixed"]


def opened(path: Path, **steps: str) -> FileSet:
    return FileSet(tuple(list_files(str(path), LOCAL, (".parquet",))), LOCAL, None, PartitionTime(steps))


def timestamps(moments: list[datetime], kind: str) -> pa.Array:
    micros = instants_of(moments)
    if kind in EPOCHS:
        return pa.array([None if n % 7 == 3 else int(micro) // EPOCHS[kind] for n, micro in enumerate(micros)])
    if kind == "seconds as doubles":
        return pa.array(micros / 1e6)
    if kind == "iso":
        return pa.array([f"{moment + 5 * HOUR:%Y-%m-%dT%H:%M:%S}+05:00" for moment in moments])
    if kind == "date":
        return pa.array([moment.date() for moment in moments])
    unit, zone = ("ns", "UTC") if kind == "nanoseconds" else ("us", None if kind == "naive" else "America/New_York")
    return pa.array(micros * (1_000 if unit == "ns" else 1), pa.timestamp(unit)).cast(pa.timestamp(unit, zone))


def rows(moments: list[datetime], kind: str, seed: int) -> pa.Table:
    """Rows at these times, with columns to filter by; each row group of four tells little of its own."""
    random = np.random.default_rng(seed)
    size = len(moments)
    ages = np.sort(random.integers(0, 60, size)).tolist()
    scores = np.sort(random.normal(size=size))
    scores[random.random(size) < 0.2] = np.nan
    return pa.table({
        "at": timestamps(moments, kind),
        "age": [None if random.random() < 0.2 else age for age in ages] if seed % 2 else [str(age) for age in ages],
        "score": scores,
        "state": np.sort(random.choice(["CA", "NY", "TX", ""], size)),
        "flag": [bool(age > 30) for age in ages],
    })  # fmt: skip


def written(folder: Path, kind: str, dated: bool) -> FileSet:
    """Five days in seven files of small row groups; two days have two files, one file has no statistics."""
    for number, day in enumerate([0, 1, 1, 2, 3, 3, 4]):
        own = "iso" if kind == "mixed" and number % 2 else "utc" if kind == "mixed" else kind
        moments = [START + day * DAY + timedelta(minutes=97 * step + number) for step in range(14)]
        path = folder / (f"date={(START + day * DAY).date()}" if dated else "") / f"{number}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(rows(moments, own, number), path, row_group_size=4, write_statistics=number != 5)
    return opened(folder, **({"date": "day"} if dated else {}))


@pytest.fixture(scope="module")
def datasets(tmp_path_factory) -> dict[tuple[str, bool], FileSet]:
    """By how timestamps are written, and whether folders tell the day."""
    ways = [(kind, dated) for kind in KINDS for dated in (False, True)]
    return {(kind, dated): written(tmp_path_factory.mktemp("rows"), kind, dated) for kind, dated in ways}


windows = st.builds(
    lambda start, length: Window(START + start, START + start + length),
    st.timedeltas(-DAY, 6 * DAY),
    st.timedeltas(timedelta(0), 2 * DAY),
)
conditions = st.one_of(
    st.builds(
        lambda operator, value: Condition("age", operator, (str(value),)),
        st.sampled_from([each for each in FilterOperator if each is not FilterOperator.CONTAINS]),
        st.integers(-1, 60),
    ),
    st.builds(
        lambda operator, value: Condition("score", operator, (str(value),)),
        st.sampled_from([FilterOperator.GREATER_THAN, FilterOperator.LESS_THAN_OR_EQUAL, FilterOperator.NOT_EQUALS]),
        st.floats(-3, 3),
    ),
    st.builds(
        lambda operator, values: Condition("state", operator, tuple(values)),
        st.sampled_from([FilterOperator.EQUALS, FilterOperator.NOT_EQUALS, FilterOperator.IN, FilterOperator.CONTAINS]),
        st.lists(st.sampled_from(["CA", "NY", "ZZ", "A", ""]), min_size=1, max_size=2),
    ),
    st.builds(lambda value: Condition("flag", FilterOperator.EQUALS, (value,)), st.sampled_from(["true", "false"])),
    st.builds(
        lambda value: Condition("date", FilterOperator.EQUALS, (value,)), st.sampled_from(["2013-07-02", "2013-07-09"])
    ),
)
segments = st.builds(lambda each: Segment(tuple(each)), st.lists(conditions, max_size=2))


def holds_wanted_rows(files: FileSet, path: str, number: int, cut: Cut) -> bool:
    """Whether a row group really has rows of the cut, read whole."""
    place = [file.path for file in files.files].index(path)
    table = pq.read_table(path, partitioning=None) if number < 0 else pq.ParquetFile(path).read_row_group(number)
    arrays = {name: table[name].combine_chunks() for name in table.column_names}
    arrays |= {name: pa.repeat(value, len(table)) for name, value in files.constants[place].items()}
    moments = read_instants(arrays["at"], cut.roles.timestamp_format)
    inside = np.zeros(len(table), bool) if cut.spans else np.ones(len(table), bool)
    for start, end in ((instants_of([span.start])[0], instants_of([span.end])[0]) for span in cut.spans):
        inside |= (moments >= start) & (moments < end)
    chosen = np.zeros(len(table), bool) if cut.segments else np.ones(len(table), bool)
    for segment in cut.segments:
        chosen |= segment.mask(arrays, len(table))
    return bool((inside & chosen).any())


@given(
    way=st.tuples(st.sampled_from(KINDS), st.booleans()),
    spans=st.lists(windows, max_size=3),
    chosen=st.lists(segments, max_size=2),
    declared=st.booleans(),
)
def test_no_row_group_with_a_wanted_row_is_left_out(datasets, way, spans, chosen, declared):
    files = datasets[way]
    forms = {"s": TimeFormat.SECONDS, "ms": TimeFormat.MILLISECONDS, "us": TimeFormat.MICROSECONDS}
    form = forms.get(way[0], TimeFormat.AUTO) if declared else TimeFormat.AUTO
    cut = Cut(Columns("at", form), tuple(spans), tuple(chosen))
    every, kept = splits_of(files, ()), splits_of(files, (cut,))
    read = {(split.path, split.row_group) for split in kept}
    for split in every:
        if (split.path, split.row_group) not in read:
            assert not holds_wanted_rows(files, split.path, split.row_group, cut)
    assert [split.rank for split in kept] == [*range(len(kept))]
    assert [(split.path, split.row_group) for split in kept] == sorted(read)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("iso", "mixed")])
def test_what_lies_between_two_spans_is_not_read(datasets, kind):
    files = datasets[kind, False]
    days = (Window(START, START + DAY), Window(START + 4 * DAY, START + 5 * DAY))
    read = {Path(split.path).stem for split in splits_of(files, (Cut(Columns("at"), days),))}
    assert read == {"0", "6", "5"}  # the fifth has no statistics


def test_row_groups_of_other_states_are_not_read(tmp_path):
    states = ["CA"] * 4 + ["NY"] * 4 + ["TX"] * 4
    pq.write_table(pa.table({"state": states, "x": range(12)}), tmp_path / "a.parquet", row_group_size=4)
    wanted = [Segment((Condition("state", FilterOperator.EQUALS, (state,)),)) for state in ("CA", "TX")]
    cut = Cut(Columns(), segments=tuple(wanted))
    assert [split.row_group for split in splits_of(opened(tmp_path), (cut,))] == [0, 2]


def test_partitions_of_other_states_are_not_read(tmp_path):
    for state in ("CA", "NY"):
        (tmp_path / f"state={state}").mkdir()
        pq.write_table(pa.table({"x": [1.0]}), tmp_path / f"state={state}" / "a.parquet")
    cut = Cut(Columns(), segments=(Segment((Condition("state", FilterOperator.EQUALS, ("NY",)),)),))
    assert [Path(split.path).parent.name for split in splits_of(opened(tmp_path), (cut,))] == ["state=NY"]


def test_rows_that_have_no_timestamp_are_in_no_span(tmp_path):
    none = pa.array([None, None], pa.timestamp("us"))
    pq.write_table(pa.table({"at": none}), tmp_path / "null.parquet")
    pq.write_table(pa.table({"x": [1.0]}), tmp_path / "lacks.parquet")
    files = opened(tmp_path)
    assert splits_of(files, (Cut(Columns("at"), (Window(START, START + DAY),)),)) == []
    assert len(splits_of(files, (Cut(Columns("at")),))) == 2


def test_a_broken_file_is_in_the_way_of_those_who_need_it_only(datasets, tmp_path):
    files = written(tmp_path, "utc", dated=True)
    Path(files.files[0].path).write_bytes(b"no parquet at all")
    files = opened(tmp_path, date="day")
    later = Cut(Columns("at"), (Window(START + DAY, START + 5 * DAY),))
    assert {Path(split.path).stem for split in splits_of(files, (later,))} == set("123456")
    with pytest.raises(DataError, match=r"date=2013-07-01/0\.parquet"):
        splits_of(files, (Cut(Columns("at"), (Window(START, START + DAY),)),))
    assert "at" in files.columns(Span(), None)


def test_a_footer_is_read_once_while_its_file_stays_as_it_is(tmp_path, monkeypatch):
    read: list[str] = []
    really = footers.pq.read_metadata
    monkeypatch.setattr(footers.pq, "read_metadata", lambda source: read.append("once") or really(source))
    written(tmp_path, "utc", dated=False)
    day = Cut(Columns("at"), (Window(START, START + DAY),))
    for _ in range(3):
        files = opened(tmp_path)
        files.columns(Span(), None)
        splits_of(files, (day,))
        splits_of(files, (day, Cut(Columns(), segments=(Segment((Condition("flag", FilterOperator.IN, ("1",)),)),))))
    assert len(read) == 7
    pq.write_table(rows([START] * 14, "utc", 9), tmp_path / "0.parquet")
    splits_of(opened(tmp_path), (day,))
    assert len(read) == 8


def test_more_footers_than_are_kept_are_read_again_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(footers, "KEPT_BYTES", 2_000)
    written(tmp_path, "utc", dated=False)
    for _ in range(2):
        assert len(splits_of(opened(tmp_path), ())) == 7 * 4
