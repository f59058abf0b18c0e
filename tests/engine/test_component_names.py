"""What does the name of a component stand for, and what is said where it stands for nothing?"""

from pathlib import Path

import pytest

from engine.definitions import load_all
from engine.definitions.library import Library, read_library
from engine.definitions.unknown import UnknownNameError
from engine.monitor import Component

CODE = """
import missing_module_that_nobody_has
raise RuntimeError("nobody may run this")
def run(data): ...
def other(data): ...
"""
ASSETS = """
components:
  - {name: spread, version: 1.9, entry: "spread:run"}
  - {name: spread, version: "1.10", entry: "spread:other"}
  - {name: elsewhere, version: 1, entry: "deep.er:run", path: ../shared}
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for file in ("conf/components/spread.py", "shared/deep/er.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(CODE)
    (tmp_path / "conf" / "assets.yaml").write_text(ASSETS)
    return tmp_path / "conf"


def library(conf: Path) -> Library:
    return read_library(conf, str)


def complaint(conf: Path, reference: str) -> str:
    with pytest.raises(UnknownNameError) as raised:
        library(conf).component(reference)
    return f"{raised.value.message} ({raised.value.hint})"


def test_a_version_a_label_and_a_bare_name_are_looked_up_and_nothing_is_imported(conf):
    found = library(conf)
    assert found.problems == ()
    folder = conf / "components"
    assert found.component("azureml:spread:1.9") == Component("azureml:spread:1.9", folder, "spread", "run")
    newest = Component("azureml:spread:1.10", folder, "spread", "other")
    assert found.component("azureml:spread@latest") == found.component("azureml:spread") == newest


def test_a_component_may_lie_in_a_folder_that_its_asset_names(conf):
    found = library(conf).component("azureml:elsewhere:1")
    assert found == Component("azureml:elsewhere:1", conf.parent / "shared", "deep.er", "run")


def test_module_and_function_are_enough_for_a_file_among_the_components(conf):
    assert library(conf).component("spread:run") == Component("spread:run", conf / "components", "spread", "run")


def test_without_a_folder_of_components_they_lie_beside_the_assets(tmp_path):
    (tmp_path / "mine.py").write_text("def run(): ...")
    assert library(tmp_path).component("mine:run").folder == tmp_path


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("azureml:spraed:1", "no component is named 'spraed' (did you mean spread?)"),
        ("azureml:spread:3", "component 'spread' has no version 3 (it has 1.9, 1.10)"),
        ("azureml://registries/azureml/components/x", "other azureml addresses need Azure"),
        ("spraed:run", "did you mean spread?"),
        ("spread:rum", "has no function 'rum' (did you mean run?)"),
        ("os:system", "there is no module 'os' in"),
        ("..x:run", "neither azureml:name:version nor module:function"),
        ("../x:run", "neither azureml:name:version nor module:function"),
        ("/etc/x:run", "neither azureml:name:version nor module:function"),
        ("a..b:run", "neither azureml:name:version nor module:function"),
        ("spread:1.9", "neither azureml:name:version nor module:function"),
        ("./components/spec.yaml", "neither azureml:name:version nor module:function"),
    ],
)
def test_a_name_that_stands_for_nothing_is_said_with_what_is_near(conf, reference, said):
    assert said in complaint(conf, reference)


def test_a_function_may_be_bound_by_import_assignment_or_under_a_condition(conf):
    code = "import math as there\nif True:\n    def also(): ...\nrun = lambda: 1\n"
    (conf / "components" / "bound.py").write_text(code)
    found = library(conf)
    for name in ("there", "also", "run"):
        assert found.component(f"bound:{name}").function == name
    assert "has no function 'nowhere'" in complaint(conf, "bound:nowhere")
    (conf / "components" / "bound.py").write_text("from os.path import *\n")
    assert library(conf).component("bound:nowhere").function == "nowhere"


def test_what_is_wrong_in_the_assets_is_said_there_all_at_once(conf):
    (conf / "components" / "broken.py").write_text("def run(:\n")
    (conf / "assets.yaml").write_text(
        "components:\n"
        "  - {name: a, version: 1, entry: 'spraed:run'}\n"
        "  - {name: b, version: 1, entry: 'broken:run'}\n"
        "  - {name: c, version: 1, entry: 'spread:rum'}\n"
    )
    _, problems = load_all([conf])
    said = [str(problem) for problem in problems]
    assert len(said) == 3
    assert "components[0].entry: there is no module 'spraed'" in said[0]
    assert "components[1].entry" in said[1]
    assert "is not Python" in said[1]
    assert "components[2].entry" in said[2]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("spread", "components[0].entry: 'spread' is not module:function (such as"),
        ("os.path:../x", "is not module:function"),
        ("spread:run", "components[1]: azureml:a:1 is there twice"),
    ],
)
def test_the_keys_of_a_component_are_checked(conf, entry, said):
    one = f"  - {{name: a, version: 1, entry: '{entry}'}}\n"
    (conf / "assets.yaml").write_text(f"components:\n{one}{one}")
    assert said in "\n".join(map(str, load_all([conf])[1]))
