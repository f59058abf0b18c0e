"""A bucket's fingerprint stays while its rows do, changes with them, and nobody else's changes."""

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.batches import NO_ROWS, Dataset, Span
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.joined import open_production
from engine.monitor import Columns, Context, Data, Source
from engine.scanning import scan_rows
from engine.spark import Meter, collect
from engine.windows import Window
from signals.kernel import ScanPlan, report_of

START = datetime(2013, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = [Window(START + day * DAY, START + (day + 1) * DAY) for day in range(4)]
AT = Columns("at")


def rows(*days: float, form: str = "time", x: float = 1.0) -> pa.Table:
    """A row at each of these days and parts of days."""
    moments = [START + day * DAY for day in days]
    at = pa.array(moments, pa.timestamp("us", "UTC"))
    texts = pa.array([moment.isoformat() for moment in moments])
    return pa.table({"at": texts if form == "text" else at, "x": [x] * len(days)})


ticks = count(1_372_636_800)
"""Seconds at which files are written; a real clock may stand still between two of them."""


def write(path: Path, table: pa.Table, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    tick = next(ticks)
    os.utime(path, (tick, tick))


def opened(spark, path: Path | str, *, frames=None, **keys) -> Dataset:
    source = Source(path=str(path), **keys) if frames is None else Source(table=str(path), **keys)
    return open_dataset(spark, Data(source, Context.MODEL_INPUTS, AT), Span(), frames)


def prints(spark, path: Path | str, **keys) -> list[str | None]:
    """The fingerprints of the four days."""
    found = opened(spark, path, **keys).fingerprints(AT, DAYS)
    assert list(found) == DAYS
    return list(found.values())


def changed(before: list[str | None], after: list[str | None]) -> list[int]:
    return [day for day in range(4) if before[day] != after[day]]


def rows_read(dataset: Dataset) -> int:
    return report_of(scan_rows(dataset, ScanPlan(()))).rows_read


# -------------------------------------------------------------------------------------------------------- Parquet


@pytest.mark.parametrize("dated", [False, True], ids=["one folder", "a folder a day"])
def test_a_file_changes_the_days_of_its_rows_and_no_others(spark, tmp_path, dated):
    def file(day: int, name: str) -> Path:
        return tmp_path / (f"date={(START + day * DAY).date()}" if dated else ".") / f"{name}.parquet"

    keys = {"partitions": {"date": "day"}} if dated else {}
    for day in range(3):
        write(file(day, f"{day}"), rows(day, day + 0.5))
    first = prints(spark, tmp_path, **keys)
    assert first[3] == NO_ROWS
    assert len({*first}) == 4
    assert prints(spark, tmp_path, **keys) == first
    write(file(1, "late"), rows(1.25))
    added = prints(spark, tmp_path, **keys)
    assert changed(first, added) == [1]
    write(file(2, "2"), rows(2, 2.75))
    rewritten = prints(spark, tmp_path, **keys)
    assert changed(added, rewritten) == [2]
    file(0, "0").unlink()
    gone = prints(spark, tmp_path, **keys)
    assert changed(rewritten, gone) == [0]
    assert gone[0] == NO_ROWS
    write(file(3, "3"), rows(3))
    assert changed(gone, prints(spark, tmp_path, **keys)) == [3]


def test_a_file_over_midnight_is_of_both_days(spark, tmp_path):
    write(tmp_path / "a.parquet", rows(1.9, 2.1))
    write(tmp_path / "b.parquet", rows(1.0))
    before = prints(spark, tmp_path)
    assert before[0] == before[3] == NO_ROWS
    write(tmp_path / "a.parquet", rows(1.9, 2.1, 2.2))
    assert changed(before, prints(spark, tmp_path)) == [1, 2]


def test_hours_of_a_days_folder_are_told_apart_by_statistics(spark, tmp_path):
    for part in (0.0, 0.5):
        write(tmp_path / "date=2013-07-01" / f"{part}.parquet", rows(part))
    dataset = opened(spark, tmp_path, partitions={"date": "day"})
    hours = [Window(START + n * HOUR, START + (n + 1) * HOUR) for n in (0, 5, 12, 24)]
    found = list(dataset.fingerprints(AT, hours).values())
    assert [print_ == NO_ROWS for print_ in found] == [False, True, False, True]
    assert found[0] != found[2]


def test_a_day_of_its_own_folders_is_told_without_opening_a_file(spark, tmp_path):
    write(tmp_path / "date=2013-07-02" / "good.parquet", rows(1))
    for day in (1, 3):
        write(tmp_path / f"date=2013-07-0{day}" / "bad.parquet", rows(0))
        (tmp_path / f"date=2013-07-0{day}" / "bad.parquet").write_bytes(b"no parquet at all")
    dataset = opened(spark, tmp_path, partitions={"date": "day"})
    found = list(dataset.fingerprints(AT, DAYS).values())
    assert [print_ == NO_ROWS for print_ in found] == [False, False, False, True]
    assert rows_read(dataset.within(AT, [DAYS[1]])) == 1
    with pytest.raises(DataError, match=r"date=2013-07-03/bad\.parquet"):
        rows_read(dataset.within(AT, DAYS[1:3]))


def test_a_file_that_cannot_be_opened_is_of_every_day(spark, tmp_path):
    write(tmp_path / "good.parquet", rows(0))
    before = prints(spark, tmp_path)
    (tmp_path / "bad.parquet").write_bytes(b"no parquet at all")
    assert changed(before, prints(spark, tmp_path)) == [0, 1, 2, 3]


files = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.lists(st.integers(0, 15).map(lambda n: n / 4), min_size=1, max_size=4)
)


@settings(max_examples=40)
@given(before=files.filter(bool), after=files.filter(bool), size=st.sampled_from([1, 3]))
def test_days_whose_rows_differ_have_different_fingerprints(tmp_path_factory, before, after, size):
    folder = tmp_path_factory.mktemp("days")
    found: list[list[str | None]] = []
    for state in (before, after):
        for old in {file.stem for file in folder.iterdir()} - state.keys():
            (folder / f"{old}.parquet").unlink()
        for name, days in state.items():
            if days != before.get(name) or state is before:
                write(folder / f"{name}.parquet", rows(*days, x=float(len(found))), row_group_size=size)
        found.append(prints(None, folder))  # without Spark: there are statistics
    for day in range(4):
        had, has = (rows_of_day(state, day) for state in (before, after))
        assert not has or found[1][day] != NO_ROWS
        assert has or size > 1 or found[1][day] == NO_ROWS
        if had != has:
            assert found[0][day] != found[1][day]
    if before == after:
        assert found[0] == found[1]


def rows_of_day(state: dict[str, list[float]], day: int) -> list[tuple[str, float]]:
    return sorted((name, part) for name, parts in state.items() for part in parts if int(part) == day)


# ------------------------------------------------------------------------------------- files that do not tell


@pytest.mark.parametrize("form", ["text", "time"])
def test_files_that_do_not_tell_are_looked_into_once(spark, tmp_path, form):
    options = {"write_statistics": form == "text", "row_group_size": 2}
    write(tmp_path / "a.parquet", rows(0, 0.5, 0.9, 0.95, form=form), **options)
    write(tmp_path / "b.parquet", rows(1, 1.5, 3, form=form), **options)
    with Meter(spark) as meter:
        dataset = opened(spark, tmp_path)
        before = list(dataset.fingerprints(AT, DAYS).values())
        again = dataset.within(AT, DAYS[:2]).fingerprints(AT, DAYS)
        hours = dataset.fingerprints(AT, [Window(START + 12 * HOUR, START + 13 * HOUR)])
    assert meter.spark_jobs == 1
    assert list(again.values()) == before
    assert NO_ROWS not in hours.values()
    assert [print_ == NO_ROWS for print_ in before] == [False, False, True, False]
    assert before[1] == before[3]
    assert rows_read(dataset.within(AT, [DAYS[0]])) == 4
    assert rows_read(dataset.within(AT, [DAYS[3]])) == 1
    write(tmp_path / "c.parquet", rows(2, form=form), **options)
    assert changed(before, prints(spark, tmp_path)) == [2]


def test_a_day_whose_file_cannot_be_looked_into_is_not_told(spark, tmp_path):
    write(tmp_path / "good.parquet", rows(0))
    broken = tmp_path / "broken.parquet"
    write(broken, rows(*([0.5] * 5_000), form="text"), use_dictionary=False, compression="none")
    content = bytearray(broken.read_bytes())
    content[4:2_000] = bytes(1_996)
    broken.write_bytes(content)
    assert prints(spark, tmp_path) == [None] * 4


def test_without_a_timestamp_only_folders_tell(spark, tmp_path):
    for day in (1, 2):
        write(tmp_path / f"date=2013-07-0{day}" / "a.parquet", pa.table({"x": [1.0]}))
    dataset = opened(spark, tmp_path, partitions={"date": "day"})
    found = list(dataset.fingerprints(Columns(), DAYS).values())
    assert [print_ == NO_ROWS for print_ in found] == [False, False, True, True]
    assert rows_read(dataset.within(Columns("elsewhere"), [DAYS[1]])) == 1


# ---------------------------------------------------------------------------------------------------------- Delta


def test_a_tables_days_change_with_their_files_whatever_its_version_is(spark, tmp_path):
    table = tmp_path / "t"
    for day in range(3):
        write_deltalake(table, rows(day, day + 0.5), mode="append")
    first = prints(spark, table)
    assert first[3] == NO_ROWS
    write_deltalake(table, rows(3), mode="append")
    appended = prints(spark, table)
    assert changed(first, appended) == [3]
    DeltaTable(table).delete("at >= '2013-07-02T00:00:00Z' and at < '2013-07-03T00:00:00Z'")
    deleted = prints(spark, table)
    assert changed(appended, deleted) == [1]
    assert deleted[1] == NO_ROWS
    DeltaTable(table).optimize.compact()
    compacted = prints(spark, table)
    assert changed(deleted, compacted) == [0, 1, 2, 3]  # one file now, over all days
    write_deltalake(table, rows(1), mode="overwrite")
    assert [print_ == NO_ROWS for print_ in prints(spark, table)] == [True, False, True, True]


def test_a_tables_log_tells_and_its_files_stay_closed(spark, tmp_path):
    table = tmp_path / "t"
    for day in (0, 2):
        write_deltalake(table, rows(day + 0.25), mode="append")
    for file in table.glob("*.parquet"):
        file.write_bytes(b"never looked at")
    found = prints(spark, table)
    assert [print_ == NO_ROWS for print_ in found] == [False, True, False, True]
    assert rows_read(opened(spark, table).within(AT, [DAYS[1]])) == 0


def test_a_table_partitioned_by_day_needs_no_timestamp_in_its_log(spark, tmp_path):
    dated = rows(0, 1).append_column("date", pa.array([START.date(), (START + DAY).date()]))
    write_deltalake(tmp_path / "t", dated, partition_by=["date"])
    before = prints(spark, tmp_path / "t", partitions={"date": "day"})
    write_deltalake(tmp_path / "t", dated.slice(1), partition_by=["date"], mode="append")
    assert changed(before, prints(spark, tmp_path / "t", partitions={"date": "day"})) == [1]


# ------------------------------------------------------------------------------------------------- through Spark


def csv(path: Path, *days: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["at,x", *(f"{(START + day * DAY).isoformat()},1.5" for day in days)]))


def test_csv_files_are_told_apart_by_one_look_at_their_timestamps(spark, tmp_path):
    folder = tmp_path / "50% of ünï"
    csv(folder / "a file.csv", 0, 0.5)
    csv(folder / "b.csv", 1, 2)
    before = prints(spark, folder)
    assert [print_ == NO_ROWS for print_ in before] == [False, False, False, True]
    assert before[1] == before[2] != before[0]
    csv(folder / "c.csv", 2, 3)
    dataset = opened(spark, folder)
    with Meter(spark) as meter:
        after = list(dataset.fingerprints(AT, DAYS).values())
        assert list(dataset.within(AT, DAYS).fingerprints(AT, DAYS).values()) == after
    assert meter.spark_jobs == 1
    assert changed(before, after) == [2, 3]
    assert dataset.fingerprint != opened(spark, folder / "b.csv").fingerprint
    (folder / "a file.csv").unlink()
    gone = prints(spark, folder)
    assert changed(after, gone) == [0]
    assert gone[0] == NO_ROWS


def test_of_csv_files_only_those_of_the_span_are_read(spark, tmp_path):
    csv(tmp_path / "a.csv", 0, 0.5)
    csv(tmp_path / "b.csv", 1, 1.5, 2)
    texts = Source(path=str(tmp_path), options={"inferSchema": "false"})
    dataset = open_dataset(spark, Data(texts, Context.MODEL_INPUTS, AT), Span())
    assert rows_read(dataset.within(AT, [DAYS[0]])) == 5
    dataset.fingerprints(AT, DAYS)
    assert rows_read(dataset.within(AT, [DAYS[0]])) == 2
    assert rows_read(dataset.within(AT, [DAYS[3]])) == 0


@pytest.mark.parametrize("only_grows", [False, True])
def test_what_was_narrowed_before_tells_the_same_of_all_days(spark, tmp_path, only_grows):
    csv(tmp_path / "a.csv", 0, 1)
    csv(tmp_path / "b.csv", 2, 3)
    keys = {"frames": {str(tmp_path): frame(spark, 0, 1, 2)}, "append_only": True} if only_grows else {}
    narrow = opened(spark, tmp_path, **keys).within(AT, [DAYS[0]])
    assert list(narrow.fingerprints(AT, DAYS).values()) == prints(spark, tmp_path, **keys)
    assert rows_read(narrow.within(AT, [DAYS[0]]).within(AT, DAYS[:2])) == 1


def test_csv_files_of_which_spark_reads_others_or_hides_the_name_are_not_told(spark, tmp_path):
    (tmp_path / "a?b").mkdir()
    (tmp_path / "axb").mkdir()
    for name in ("a?b", "axb"):  # to Spark the first is a pattern that the second fits, too
        csv(tmp_path / name / "part.csv", 0)
    assert prints(spark, tmp_path / "a?b") == [None] * 4
    (tmp_path / "own.csv").write_text(f"at,_metadata\n{START.isoformat()},1")
    assert prints(spark, tmp_path / "own.csv") == [None] * 4


def test_csv_files_in_folders_by_day_are_told_by_their_folders(spark, tmp_path):
    for day in (1, 2):
        csv(tmp_path / f"date=2013-07-0{day}" / "part.csv", day - 1)
    dataset = opened(spark, tmp_path, partitions={"date": "day"}, options={"inferSchema": "false"})
    with Meter(spark) as meter:
        before = list(dataset.fingerprints(AT, DAYS).values())
    assert meter.spark_jobs == 0
    csv(tmp_path / "date=2013-07-02" / "more.csv", 1)
    assert changed(before, prints(spark, tmp_path, partitions={"date": "day"})) == [1]
    assert rows_read(dataset.within(AT, [DAYS[1]])) == 1


def frame(spark, *days: float, kind: str = "timestamp"):
    table = pa.table({"at": pa.array([START + day * DAY for day in days], pa.timestamp("us", "UTC"))})
    return spark.createDataFrame(table).selectExpr(f"cast(at AS {kind}) AS at", "1.5D AS x").repartition(3)


def test_a_table_says_nothing_of_its_days(spark):
    assert prints(spark, "mine", frames={"mine": frame(spark, 0, 1)}) == [None] * 4


def test_a_table_that_only_grows_tells_its_days_by_their_number_of_rows(spark):
    grown = {"mine": frame(spark, 0, 0.5, 1)}
    with Meter(spark) as meter:
        before = prints(spark, "mine", frames=grown, append_only=True)
    assert meter.spark_jobs == 1
    assert [print_ == NO_ROWS for print_ in before] == [False, False, True, True]
    assert prints(spark, "mine", frames=grown, append_only=True) == before
    grown = {"mine": frame(spark, 0, 0.5, 0.75, 1, 3)}
    assert changed(before, prints(spark, "mine", frames=grown, append_only=True)) == [0, 3]


def test_days_that_overlap_are_counted_each(spark):
    dataset = opened(spark, "mine", frames={"mine": frame(spark, 0, 1, 1.5)}, append_only=True)
    wide = Window(START, START + 2 * DAY)
    found = dataset.fingerprints(AT, [wide, *DAYS])
    assert {found[wide], found[DAYS[0]], found[DAYS[1]], found[DAYS[2]]} == {*found.values()}
    assert str(found[wide]).startswith("rows:3:")


@pytest.mark.parametrize("kind", ["timestamp", "timestamp_ntz", "date", "string"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_no_row_of_a_span_is_left_out_by_spark_in_any_time_zone(spark, kind, zone):
    late = Window(START + DAY, START + DAY + timedelta(microseconds=1))
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    mine = frame(spark, 0, 1, 1.5, 2, kind=kind)
    rows_ = mine.collect()
    try:
        spark.conf.set("spark.sql.session.timeZone", zone)
        mine = spark.createDataFrame(rows_, mine.schema) if kind != "timestamp" else mine
        dataset = opened(spark, "mine", frames={"mine": mine})
        found = collect(dataset.within(AT, [late, DAYS[3]]).map(_passed_on, ("at",), pa.schema([("n", pa.int64())])))
        total = sum(found["n"].to_pylist())
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert total == {"timestamp": 1, "timestamp_ntz": 1, "date": 2, "string": 4}[kind]


def _passed_on(batches, task):
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"n": [batch.size]})


# --------------------------------------------------------------------------------------------------------- joined


def joined(spark, folder: Path, **keys) -> Dataset:
    inputs, outputs = Source(path=str(folder / "inputs")), Source(path=str(folder / "outputs"), **keys)
    datas = [
        Data(inputs, Context.MODEL_INPUTS, Columns("at", correlation_id="id")),
        Data(outputs, Context.MODEL_OUTPUTS, Columns("said_at", correlation_id="id")),
    ]
    return open_production(spark, datas, Span(DAYS[0].start, DAYS[-1].end), {})


def sides(folder: Path, day: int) -> None:
    own = rows(day).append_column("id", [[str(day)]])
    write(folder / "inputs" / f"{day}.parquet", own)
    write(folder / "outputs" / f"{day}.parquet", own.rename_columns(["said_at", "said", "id"]))


def test_every_new_day_of_another_dataset_changes_all_days_unless_it_is_said_to_lie_near(spark, tmp_path):
    for day in range(2):
        sides(tmp_path, day)
    far = list(joined(spark, tmp_path).fingerprints(AT, DAYS).values())
    near = list(joined(spark, tmp_path, joined_within="PT0S").fingerprints(AT, DAYS).values())
    sides(tmp_path, 2)
    assert changed(far, list(joined(spark, tmp_path).fingerprints(AT, DAYS).values())) == [0, 1, 2]
    dataset = joined(spark, tmp_path, joined_within="PT0S")
    assert changed(near, list(dataset.fingerprints(AT, DAYS).values())) == [2]
    assert far[3] == near[3] == NO_ROWS


def test_what_lies_near_is_read_of_another_dataset_and_what_lies_far_is_not(spark, tmp_path):
    for day in range(4):
        sides(tmp_path, day)
    write(tmp_path / "outputs" / "0.parquet", pa.table({"said_at": [START - 9 * DAY], "said": [7.0], "id": ["2"]}))
    for distance, others in (("PT0S", {2}), ("P1D", {1, 2, 3}), (None, {0, 1, 2, 3})):
        dataset = joined(spark, tmp_path, **({"joined_within": distance} if distance else {})).within(AT, [DAYS[2]])
        first, other = dataset.parts
        assert first.dataset.count_rows() == 1
        assert other.dataset.count_rows() == len(others)
