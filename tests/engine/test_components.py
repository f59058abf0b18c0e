"""A user's own function is called with what it asks for, and what goes wrong in it is said in plain words."""

import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType

import pandas as pd
import pytest

from engine.component_modules import source_digest
from engine.components import call, frame_from
from engine.errors import DataError
from engine.monitor import Component


@pytest.fixture
def component(tmp_path: Path):
    """Writes the file of a component, and others beside it by name."""

    def write(code: str, others: Mapping[str, str] = MappingProxyType({})) -> Component:
        for name, text in {"mine": code, **others}.items():
            file = tmp_path / f"{name}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(dedent(text))
        return Component("azureml:mine:1", tmp_path, "mine", "run")

    return write


def complaint(component: Component, **given) -> str:
    with pytest.raises(DataError) as raised:
        call(component, given)
    return str(raised.value)


# ------------------------------------------------------------------------------------------------ what it gets


def test_a_function_gets_what_it_names_and_nothing_else(component):
    found = component("def run(b, /, a, *rest, c=3, **more): return a, b, rest, c, more")
    assert call(found, {"a": 1, "b": 2, "d": 4}) == (1, 2, (), 3, {"d": 4})
    assert call(component("def run(a): return a"), {"a": 1, "b": 2}) == 1


def test_literals_come_in_the_type_that_is_asked_for(component):
    code = """
    from __future__ import annotations
    from typing import Optional
    def run(text: str, number: float, whole: int, yes: bool, maybe: Optional[float], no: str | None, plain, rows: int):
        return text, number, whole, yes, maybe, no, plain, rows
    """
    given = {"text": 2.0, "number": "2", "whole": "3", "yes": "true", "maybe": "0.5", "no": True, "plain": 2.0}
    answer = call(component(code), given | {"rows": [1]})
    assert answer == ("2", 2.0, 3, True, 0.5, "true", 2.0, [1])
    assert [type(each) for each in answer[:4]] == [str, float, int, bool]


def test_a_literal_that_is_no_number_is_said_with_the_argument(component):
    said = complaint(component("def run(limit: float): ..."), limit="two")
    assert said == "component azureml:mine:1: run asks for 'limit' as float, and it is 'two'"


def test_an_argument_that_is_not_there_is_said_with_what_is(component):
    said = complaint(component("def run(product_data): ..."), production_data=1, spark=2)
    assert said == (
        "component azureml:mine:1: run asks for 'product_data', which it is not given "
        "(did you mean production_data? there are production_data, spark)"
    )


# ----------------------------------------------------------------------------------------- what goes wrong in it


def test_an_error_is_said_with_its_type_its_text_and_the_line_in_the_users_file(component):
    code = "import json\n\ndef run():\n    return json.loads('{')\n"
    said = complaint(component(code))
    assert said.startswith("component azureml:mine:1: JSONDecodeError in mine.py, line 4: Expecting property name")


def test_an_error_in_a_sibling_names_the_sibling(component):
    found = component("from . import deep\ndef run(): deep.fail()", {"deep": "def fail():\n    raise ValueError('no')"})
    assert complaint(found) == "component azureml:mine:1: ValueError in deep.py, line 2: no"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nowhere_at_all\ndef run(): ...", "ModuleNotFoundError in mine.py, line 1: No module named"),
        ("def run(:\n", "SyntaxError in mine.py, line 1"),
        ("import sys\ndef run(): sys.exit(3)", "SystemExit in mine.py, line 2: 3"),
        ("run = 3", "run of mine is not a function"),
        ("pass", "run of mine is not there"),
    ],
)
def test_what_keeps_it_from_running_is_said(component, code, said):
    assert said in complaint(component(code))


# ----------------------------------------------------------------------------------------------- what is loaded


def test_siblings_are_importable_while_it_loads_and_while_it_runs_and_never_afterwards(component):
    code = """
    import helper
    from pack import inner
    def run():
        import late, pack.other
        return helper.ONE + inner.TWO + late.THREE + pack.other.FOUR
    """
    others = {"helper": "ONE = 1", "late": "THREE = 300"}
    pack = {"pack/__init__": "", "pack/inner": "TWO = 20", "pack/other": "FOUR = 4000"}
    found = component(code, others | pack)
    before = set(sys.modules), list(sys.path), list(sys.meta_path)
    assert call(found, {}) == 4321
    assert call(found, {}) == 4321
    left = {name for name in set(sys.modules) - before[0] if not name.startswith("driftline_component_")}
    assert not left
    assert (list(sys.path), list(sys.meta_path)) == before[1:]
    assert not list(found.folder.rglob("__pycache__"))


def test_two_folders_may_have_siblings_of_one_name_and_modules_named_like_ours(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text(f"NAME = {name!r}")
        (tmp_path / name / "signals.py").write_text("import helper\ndef run(): return helper.NAME")
    found = [call(Component(name, tmp_path / name, "signals", "run"), {}) for name in ("one", "two", "one")]
    assert found == ["one", "two", "one"]
    assert Path(sys.modules["signals"].__file__).parent != tmp_path / "two"


def test_a_sibling_is_one_module_whichever_way_it_is_imported(component):
    found = component("import helper\nfrom . import helper as same\ndef run(): return helper is same", {"helper": ""})
    assert call(found, {})


def test_an_edited_file_is_loaded_anew_and_its_digest_changes(component):
    found = component("import helper\ndef run(): return helper.ONE", {"helper": "ONE = 1"})
    first = source_digest(found)
    assert call(found, {}) == 1
    assert source_digest(found) == first
    (found.folder / "helper.py").write_text("ONE = 2")
    assert call(found, {}) == 2
    assert source_digest(found) != first


# ----------------------------------------------------------------------------------------------------- with Spark


def test_what_a_component_sends_to_tasks_travels_with_it(spark, component):
    code = """
    import helper
    from pyspark.sql import functions as F
    from pyspark.sql.functions import pandas_udf

    FACTOR = 10

    def scaled(batches):
        for batch in batches:
            yield batch.assign(n=batch.n * FACTOR + helper.ONE)

    @pandas_udf("long")
    def shifted(n):
        return n + helper.shift()

    def run(rows):
        import late
        plain = F.udf(late.twice, "long")
        return rows.mapInPandas(scaled, "n long").select(shifted("n").alias("n")).select(plain("n").alias("n"))
    """
    helper = "import numpy as np\nONE = 1\ndef shift(): return 100"
    late = "def twice(n): return 2 * n"
    found = component(code, {"helper": helper, "late": late})
    rows = spark.createDataFrame(pd.DataFrame({"n": [1, 2, 3]}))
    assert sorted(row.n for row in call(found, {"rows": rows}).collect()) == [222, 242, 262]


def test_a_component_returns_a_frame_or_writes_one_where_azures_do(spark, component, tmp_path):
    def frame(code: str, where: str):
        folder = tmp_path / where
        folder.mkdir()
        return frame_from(spark, component(code), {}, "signal_metrics", folder)

    returned = frame("import pandas as pd\ndef run(): return pd.DataFrame({'n': [1]})", "returned")
    assert pd.DataFrame(returned).n.tolist() == [1]
    code = """
    from pathlib import Path
    import pandas as pd
    def run(signal_metrics: str, spark):
        folder = Path(signal_metrics, "mltable")
        folder.mkdir()
        pd.DataFrame({"n": [2]}).to_parquet(folder / "part.parquet")
        (folder / "MLTable").write_text("paths: []")
    """
    assert frame(code, "written").toPandas().n.tolist() == [2]
    spark_code = "def run(signal_metrics, spark): spark.range(3).write.mode('overwrite').parquet(signal_metrics)"
    assert frame(spark_code, "by-spark").count() == 3
    with pytest.raises(DataError, match="component azureml:mine:1 returned nothing and not a DataFrame"):
        frame("def run(signal_metrics): ...", "nothing")
    with pytest.raises(DataError, match="component azureml:mine:1 returned a dict and not a DataFrame"):
        frame("def run(): return {}", "other")


def test_sparks_own_errors_are_said_in_one_line(spark, component):
    code = "def run(rows):\n    return rows.select('nowhere')\n"
    with pytest.raises(DataError) as raised:
        call(component(code), {"rows": spark.range(1)})
    said = str(raised.value)
    assert "AnalysisException in mine.py, line 2: [UNRESOLVED_COLUMN" in said
    assert "\n" not in said
