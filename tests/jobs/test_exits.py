from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from engine.errors import DataError, DefinitionError, Problem, StoreError
from jobs.exits import OF_THE_SERVER, ending


def exit_code(raised: BaseException | None, *, verbose: bool = False) -> int:
    @ending
    def command(*, verbose: bool) -> None:
        if raised is not None:
            raise raised

    with pytest.raises(typer.Exit) as end:
        command(verbose=verbose)
    return end.value.exit_code


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (None, 0),
        (DefinitionError([Problem("a.yaml", "name", "is missing")]), 2),
        (DataError("cannot read x.parquet"), 3),
        (StoreError("no such place"), 4),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_every_end_has_its_exit_code(raised: BaseException | None, code: int) -> None:
    assert exit_code(raised) == code


def test_a_command_answers_its_own_exit_code() -> None:
    command: Callable[[], None] = ending(lambda: 10)
    with pytest.raises(typer.Exit) as end:
        command()
    assert end.value.exit_code == 10


def test_a_problem_is_told_with_place_key_message_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code(DefinitionError([Problem("a.yaml", "trigger.type", "unknown [type]", "did you mean cron?", 7)]))
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "a.yaml:7: trigger.type", "  ✗ unknown [type]", "    did you mean cron?", "", "1 problem in 1 file",
    ]  # fmt: skip


def test_each_line_of_an_error_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code(DataError("cannot read a\ncannot read b"))
    assert capsys.readouterr().err.splitlines() == ["error cannot read a", "error cannot read b"]


def test_a_bug_is_two_lines_and_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code(ZeroDivisionError("division by zero"))
    said = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in said
    assert "-v" in said
    assert "Traceback" not in said


def test_a_bug_is_shown_whole_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code(ZeroDivisionError("division by zero"), verbose=True)
    assert "Traceback" in capsys.readouterr().err


def test_packages_of_the_server_that_are_missing_are_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy.orm")) == 1
    assert "pip install 'driftline[server]'" in capsys.readouterr().err
    assert exit_code(ModuleNotFoundError("No module named 'numpi'", name="numpi")) == 1
    assert "has met a bug" in capsys.readouterr().err


def test_everything_that_the_server_extra_brings_is_known() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[>=]", each)[0].replace("-", "_") for each in project["optional-dependencies"]["server"]}
    assert names - {"pillow"} | {"PIL"} == OF_THE_SERVER
