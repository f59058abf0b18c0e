"""What a file may be: so large, so deep, so often repeated, plain YAML without code; components from where they may."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine.definitions import load_all
from engine.definitions.components import ALLOWED
from engine.definitions.document import read_document
from engine.errors import DefinitionError
from server.settings import read_settings

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TAGGED = "name: !!python/object/apply:os.system ['touch {}']\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "its aliases (*) repeat more than 100,000 values"),
        ("a: &a {k: 1}\nb: {<<: *a}\n", "merges (<<) are not read: write the keys out"),
        ("a: &a [*a]\n", "an alias (*) means something that it stands in"),
        ("a: " + "[" * 60 + "]" * 60, "is nested more than 50 deep"),
        ("a: " + "[" * 20_000, "is nested too deep"),
        ("a: &a [[[[[[[[[[1]]]]]]]]]]\n" + "b: &b [[[[[[[[[[*a]]]]]]]]]]\n" * 1 + "c: " + "[" * 35 + "*b" + "]" * 35,
         "is nested more than 50 deep"),
        (f"a: {'9' * 5000}\n", "is not YAML: Exceeds the limit"),
        ("a: 2024-99-99\n", "is not YAML: month must be in 1..12"),
        ("a: !!python/name:os.system\n", "has the tag python/name:os.system, which is not read"),
        ("a: !mine {}\n", "has the tag !mine, which is not read"),
        ("a: " + "x" * 1_000_000, "cannot be read: it is larger than 1,000,000 bytes"),
    ],
)  # fmt: skip
def test_what_nobody_means_to_write_is_refused_at_once_in_a_sentence(tmp_path, text, said):
    path = tmp_path / "m.yaml"
    path.write_text(text)
    started = time.process_time()
    (problem,) = read_document(path, "m.yaml").problems
    assert problem.message.startswith(said)
    assert time.process_time() - started < 5


def test_a_file_without_an_end_is_not_read_to_its_end():
    (problem,) = read_document(Path("/dev/zero"), "zero").problems
    assert "larger" in problem.message


def test_aliases_that_people_use_are_read(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("columns: &columns [" + "c, " * 5_000 + "]\n" + "".join(f"s{n}: *columns\n" for n in range(15)))
    document = read_document(path, "m.yaml")
    assert document.problems == ()
    assert len(document.data["s14"]) == 5_000


@pytest.mark.parametrize("name", ["monitors/m.yaml", "models/m.yaml", "assets.yaml"])
def test_yaml_that_would_run_code_is_refused_wherever_it_stands(tmp_path, name):
    touched = tmp_path / "touched"
    for folder in ("monitors", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / name).write_text(TAGGED.format(touched))
    _, problems = load_all([tmp_path])
    assert "has the tag python/object/apply:os.system, which is not read" in [each.message for each in problems]
    assert not touched.exists()


def test_settings_that_would_run_code_are_refused_too(tmp_path):
    path, touched = tmp_path / "server.yaml", tmp_path / "touched"
    path.write_text(TAGGED.format(touched))
    with pytest.raises(DefinitionError, match="has the tag"):
        read_settings(path, {})
    assert not touched.exists()


# -------------------------------------------------------------------------------------------------------- components

ASSETS = "components:\n  - {name: signal, version: '1', entry: 'code:run', path: %s}\n"


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """A folder of definitions, and one with code that is none of their business."""
    conf, other = tmp_path / "conf", tmp_path / "other"
    for folder in (conf / "components", other):
        folder.mkdir(parents=True)
        (folder / "code.py").write_text("raise SystemExit('it was imported')\ndef run(): pass\n")
    (conf / "models").mkdir()
    (conf / "models" / "m.yaml").write_text("{}")
    return conf, other


def found(conf: Path, path: str) -> list[str]:
    (conf / "assets.yaml").write_text(ASSETS % path)
    return [each.message for each in load_all([conf])[1] if "code.py" in each.message]


def test_components_are_imported_from_folders_that_are_allowed_only(folders, monkeypatch):
    conf, other = folders
    assert found(conf, str(other)) == []  # whoever writes definitions for a command of their own may name any folder
    monkeypatch.setenv(ALLOWED, os.pathsep.join([str(conf), "/nowhere"]))
    assert found(conf, "components") == []
    assert found(conf, str(other)) == found(conf, "../other")
    assert "is in none of the folders" in found(conf, str(other))[0]
    monkeypatch.setenv(ALLOWED, "components")
    assert found(conf, "components") == []
    assert "is in none of the folders" in found(conf, str(other))[0]
    monkeypatch.setenv(ALLOWED, "")
    assert "is in none of the folders" in found(conf, "components")[0]


def test_a_server_imports_from_the_folder_of_components_unless_it_is_told_otherwise(tmp_path):
    (tmp_path / "server.yaml").write_text("components: [/opt/shared]")
    assert read_settings(None, {}).components == ("components",)
    assert read_settings(tmp_path / "server.yaml", {}).components == ("/opt/shared",)


def test_a_link_leads_to_no_other_folder(folders, monkeypatch):
    conf, other = folders
    monkeypatch.setenv(ALLOWED, str(conf))
    (conf / "linked").symlink_to(other, target_is_directory=True)
    (conf / "components" / "code.py").unlink()
    (conf / "components" / "code.py").symlink_to(other / "code.py")
    assert "is in none of the folders" in found(conf, "linked")[0]
    assert "is in none of the folders" in found(conf, "components")[0]
