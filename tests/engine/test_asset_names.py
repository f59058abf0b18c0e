"""What names of data stand for: versions, labels, and what is near where nothing is there."""

from pathlib import Path

import pytest

from engine.definitions.library import Library, read_library
from engine.definitions.unknown import UnknownNameError
from engine.errors import DefinitionError
from engine.monitor import Monitor
from tests.engine.test_mltable_definitions import monitor, source

ASSETS = """
assets:
  - {name: truth, version: 9, path: nine}
  - {name: truth, version: 10, path: ten, label: production}
  - {name: truth, versions: [7, 8], labels: [old, older], path: old}
  - {name: dotted, version: 1.9.0, path: early}
  - {name: dotted, version: 1.10.0, path: late}
  - {name: labelled, version: 1, path: one, label: latest}
  - {name: labelled, version: 2, path: two}
  - {name: in-a-table, version: 1, table: catalog.schema.rows, append_only: true}
  - {name: asked, version: 1, query: SELECT 1 AS x}
  - {name: truths, version: 1, path: near}
  - {name: untruth, version: 1, path: near}
  - {name: elsewhere, version: 1, path: "azureml://datastores/x/paths/y"}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "assets.yaml").write_text(ASSETS)
    found = read_library(tmp_path, str)
    assert found.problems == ()
    return found


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("truth:9", "nine"),
        ("truth:10", "ten"),
        ("truth:7", "old"),
        ("truth:8", "old"),
        ("truth", "ten"),
        ("truth@latest", "ten"),
        ("truth:latest", "ten"),
        ("truth@production", "ten"),
        ("truth@older", "old"),
        ("dotted", "late"),
        ("labelled", "one"),  # what is labelled `latest` is it
        ("labelled@latest", "one"),
    ],
)
def test_a_version_a_label_and_a_bare_name(library: Library, name: str, path: str) -> None:
    assert library.asset(f"azureml:{name}").path == path


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("truht:1", "no asset is named 'truht'", "did you mean truth or truths or untruth?"),
        (
            "qqqq:1",
            "no asset is named 'qqqq'",
            "one of: asked, dotted, elsewhere, in-a-table, labelled, truth, truths, untruth",
        ),
        ("truth:11", "asset 'truth' has no version 11", "it has 7, 8, 9, 10"),
        ("truth@prod", "asset 'truth' has no label prod", "it has latest, old, older, production"),
        ("truth:production", "asset 'truth' has no version production", "it has 7, 8, 9, 10"),
    ],
)
def test_what_is_near_is_listed(library: Library, name: str, said: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        library.asset(f"azureml:{name}")
    assert (raised.value.message, raised.value.hint) == (said, hint)


def test_an_asset_may_be_a_table_or_a_query(library: Library, tmp_path: Path) -> None:
    assert source(tmp_path, path="azureml:in-a-table:1").table == "catalog.schema.rows"
    assert source(tmp_path, path="azureml:in-a-table:1").append_only
    assert source(tmp_path, path="azureml:asked@latest").query == "SELECT 1 AS x"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("azureml://datastores/store/paths/folder/",
         "is an address in Azure's datastores, which driftline does not know (give the storage's own address"),
        ("azureml:elsewhere:1", "'azureml://datastores/x/paths/y' is an address in Azure's datastores"),
        ("azureml:/subscriptions/1/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/truth/"
         "versions/9", "is the id of an asset in Azure (write azureml:truth:9, and say in assets.yaml where it is)"),
        ("azureml://registries/r/data/truth/versions/9", "(write azureml:truth:9, and say in assets.yaml where it is)"),
    ],
)  # fmt: skip
def test_addresses_that_only_azure_knows_are_told_what_to_do(
    library: Library, tmp_path: Path, written: str, said: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        source(tmp_path, path=written)
    assert said in str(error.value)
    assert "production_data.input_data.path" in str(error.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("{name: truth, version: 9, path: x}", "azureml:truth:9 is there twice"),
        ("{name: truth, versions: [11, 8], path: x}", "azureml:truth:8 is there twice"),
        ("{name: truth, version: 12, label: old, path: x}", "azureml:truth@old is there twice"),
        ("{name: other, version: 1, versions: [2], path: x}", "says the same as"),
        ("{name: other, path: x}", "is missing"),
    ],
)
def test_a_name_stands_for_one_thing(tmp_path: Path, more: str, said: str) -> None:
    (tmp_path / "assets.yaml").write_text(ASSETS + f"  - {more}\n")
    (problem,) = read_library(tmp_path, str).problems
    assert said in str(problem)


def test_what_else_a_version_is_called_does_not_make_another_definition(tmp_path: Path) -> None:
    def digest(assets: str, name: str) -> str:
        (tmp_path / "assets.yaml").write_text(f"assets: [{assets}]")
        return _of(monitor(tmp_path, path=name))

    plain = digest("{name: a, version: 1, path: x}", "azureml:a:1")
    assert digest("{name: a, version: 1, path: x, label: good}", "azureml:a:1") == plain
    assert digest("{name: a, versions: [1], path: x}", "azureml:a:1") == plain
    assert digest("{name: a, version: 1, path: y}", "azureml:a:1") != plain


def _of(found: Monitor) -> str:
    return found.config_hash
