"""Definitions as files: each state of a space in a folder of its own, whole, and gone when nobody needs it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from server.desired import ASSETS, COMPONENTS, Desired, Written
from server.workspace import Workspace, texts_of
from tests.server.conftest import NOW


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "definitions")


@pytest.fixture
def space(tmp_path: Path) -> Desired:
    """Two monitors, a model, an asset file and a folder of components."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/functions.py").write_text("ANSWER = 42\n")
    return Desired(
        {name: Written(f"name: {name} # ü\n", "shop") for name in ("one", "two")},
        {"shop": Written("name: shop\n")},
        {ASSETS: Written("assets: []\n"), COMPONENTS: Written(str(tmp_path / "own"))},
    )


def folders(workspace: Workspace) -> set[str]:
    return {each.name for each in workspace.folder.iterdir()}


def test_a_monitors_file_stands_beside_what_its_names_mean(workspace, space):
    (one,) = workspace.files(space, ["one"])
    assert one.read_text(encoding="utf-8") == "name: one # ü\n"
    root = one.parent.parent
    assert (root / "models/shop.yaml").read_text() == "name: shop\n"
    assert (root / ASSETS).read_text() == "assets: []\n"
    assert (root / COMPONENTS / "functions.py").read_text() == "ANSWER = 42\n"


def test_the_same_state_is_written_once(workspace, space):
    (one,) = workspace.files(space, ["one"])
    before = one.stat()
    one_again, two = workspace.files(space, ["one", "two"])
    assert one_again == one
    assert two.exists()
    assert (one.stat().st_ino, one.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(folders(workspace)) == 1


@pytest.mark.parametrize("part", ["monitors", "models", "library"])
def test_a_change_of_any_part_is_another_folder_and_the_former_stays_as_it_was(workspace, space, part):
    (before,) = workspace.files(space, ["one"])
    first = next(iter(getattr(space, part)))
    changed = replace(space, **{part: {**getattr(space, part), first: Written("changed: true\n")}})
    (after,) = workspace.files(changed, ["one"])
    assert after.parent.parent != before.parent.parent
    assert before.read_text(encoding="utf-8") == "name: one # ü\n"


def test_what_a_killed_process_left_half_written_harms_nobody(workspace, space):
    (workspace.folder / ".new-half").mkdir(parents=True)
    (one,) = workspace.files(space, ["one"])
    assert one.exists()
    old = (NOW - timedelta(days=2)).timestamp()
    os.utime(workspace.folder / ".new-half", (old, old))
    workspace.keep_only([space], NOW - timedelta(days=1))
    assert folders(workspace) == {one.parent.parent.name}


def test_what_is_in_use_or_was_a_moment_ago_is_kept(workspace, space):
    former, other = Desired({"one": Written("a: 1\n")}), Desired({"one": Written("a: 2\n")})
    roots = [workspace.files(each, ["one"])[0].parent.parent for each in (space, former, other)]
    for root, days in zip(roots, (9, 9, 0), strict=True):
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(root, (at, at))
    workspace.keep_only([space], NOW - timedelta(days=1))
    assert folders(workspace) == {roots[0].name, roots[2].name}


def test_keeping_what_was_never_written_is_nothing(workspace, space):
    workspace.keep_only([space], NOW)
    assert not workspace.folder.exists()


def test_what_is_removed_with_a_state_is_the_link_to_components_and_never_they(workspace, space, tmp_path):
    workspace.files(space, ["one"])
    workspace.keep_only([], NOW + timedelta(days=100_000))
    assert folders(workspace) == set()
    assert (tmp_path / "own/functions.py").exists()


def test_paths_say_what_each_text_is(space):
    assert set(texts_of(space)) == {
        "monitors/one.yaml",
        "monitors/two.yaml",
        "models/shop.yaml",
        "assets.yaml",
        "components",
    }
