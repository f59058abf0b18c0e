"""How a command ends: every exit code in one place, and every error as clear lines.

====  ==================================================================
0     done, whatever came out
1     a bug, or Spark did not start, or the server's packages are missing
2     a definition is wrong, or the command line is
3     data cannot be read (what could be read was evaluated and kept)
4     the store cannot be read or written
5     the registry cannot be reached or changed, or a message was not taken
10    a check is breached, and `--fail-on-breach` was said; or `profiles verify` found a difference
130   interrupted
====  ==================================================================
"""

import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import ParamSpec

import typer
from rich.console import Console
from rich.text import Text

from engine.errors import DataError, DefinitionError, DriftlineError, Problem
from engine.wording import plural
from jobs.consoles import err

__all__ = ["BREACHED", "INTERRUPTED", "ending", "show_data_errors", "show_error", "show_problems"]

BREACHED = 10
BUG = 1
INTERRUPTED = 130
OF_THE_SERVER = frozenset(
    {
        "PIL", "alembic", "apprise", "cryptography", "httpx", "matplotlib", "prometheus_client", "psycopg",
        "sqlalchemy", "starlette", "uvicorn",
    }
)  # fmt: skip
"""What the `server` extra brings, and the base install does not, as it is imported."""
Parameters = ParamSpec("Parameters")


def ending(command: Callable[Parameters, int | None]) -> Callable[Parameters, None]:
    """A command that ends with the exit code that it answers or whose error it meets, and says the error."""

    @wraps(command)
    def ended(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        try:
            code = command(*arguments, **options) or 0
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except DriftlineError as error:
            show_error(err(), error)
            code = error.exit_code
        except ModuleNotFoundError as error:
            code = _show_missing(error, verbose=bool(options.get("verbose")))
        except KeyboardInterrupt:
            err().print("interrupted; results are written whole or not at all, so the store is as it was")
            code = INTERRUPTED
        except BrokenPipeError:  # `driftline results | head`
            raise
        except Exception as error:
            _show_bug(error, verbose=bool(options.get("verbose")))
            code = BUG
        raise typer.Exit(code)

    return ended


def _show_missing(error: ModuleNotFoundError, *, verbose: bool) -> int:
    """A package of the server's that is not installed is not a bug, but has to be got; the exit code."""
    if (error.name or "").partition(".")[0] in OF_THE_SERVER:
        how = "pip install 'driftline[server]' (in a checkout: make setup)"
        show_error(err(), DriftlineError(f"this needs the server's packages, and {error.name} is missing: {how}"))
    else:
        _show_bug(error, verbose=verbose)
    return BUG


def show_error(console: Console, error: DriftlineError) -> None:
    """One block per problem of a definition; of other errors one line each."""
    if isinstance(error, DefinitionError):
        show_problems(console, error.problems)
        return
    for line in str(error).splitlines() or [type(error).__name__]:
        console.print(Text.assemble(("error ", "bold red"), line), soft_wrap=True)


def show_data_errors(texts: Iterable[str]) -> int:
    """What of the data could not be read, each line once; the exit code, 0 where everything could."""
    lines = dict.fromkeys(line for text in texts for line in text.splitlines())
    for line in lines:
        show_error(err(), DataError(line))
    return DataError.exit_code if lines else 0


def show_problems(console: Console, problems: Sequence[Problem]) -> None:
    """Where, what, and what to do, for each problem; then how many there are."""
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        key = f" {problem.key}" if problem.key else ""
        console.print(Text.assemble((f"{place}:", "bold"), (key, "cyan")), soft_wrap=True)
        console.print(Text.assemble(("  ✗ ", "bold red"), problem.message), soft_wrap=True)
        if problem.hint:
            console.print(Text.assemble(("    ", ""), (problem.hint, "green")), soft_wrap=True)
    files = len({problem.file for problem in problems})
    console.print(f"\n{plural(len(problems), 'problem')} in {plural(files, 'file')}", style="bold")


def _show_bug(error: Exception, *, verbose: bool) -> None:
    if verbose:
        traceback.print_exception(error, file=sys.stderr)
        return
    said = (str(error).strip().splitlines() or [""])[0]
    line = f"driftline has met a bug: {type(error).__name__}: {said[:300]}"
    err().print(Text(line, "bold red"), soft_wrap=True)
    err().print("The same command with -v shows where; please report that.", soft_wrap=True)
