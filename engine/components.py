"""Calls a user's own function with what it asks for, and says in plain words what went wrong in it."""

import inspect
import re
import traceback
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from engine.component_modules import load, siblings_importable
from engine.environment import environment
from engine.errors import DataError
from engine.monitor import Component, Connection
from engine.spark import SPARK_ERRORS, said_by
from signals.catalogue import near_names

__all__ = ["call", "frame_from", "iso", "read_from", "trouble_of"]

BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_ONLY)

PARQUET = "*.parquet"
T = TypeVar("T")


def call(component: Component, available: Mapping[str, Any]) -> Any:
    """Call a component with those of the available values that its function names (all of them for ``**kwargs``).

    A text or a number is handed over as the parameter's annotation asks: ``str``, ``float``, ``int`` or ``bool``.

    Raises:
        DataError: it cannot be loaded, asks for what there is not, or raises an error; it says in which line.
    """
    function = _function(component)
    given = _arguments(component, function, available)
    try:
        with siblings_importable(component):
            return function(*given.args, **given.kwargs)
    except (Exception, SystemExit) as error:
        raise DataError(trouble_of(component, error)) from error


def frame_from(
    spark: SparkSession, component: Component, available: Mapping[str, Any], output: str, folder: Path
) -> DataFrame | pd.DataFrame:
    """The DataFrame that a component returns, or that it writes as Parquet where it has a parameter for that.

    Args:
        spark: reads what was written.
        component: what to call.
        available: as for `call`.
        output: the parameter, such as ``signal_metrics``, that is given the path of the folder.
        folder: where to write; of the caller's, who removes it once the frame is no longer needed. A component that
            writes in Spark's tasks on a cluster needs a folder that all machines share, or returns the frame instead.

    Raises:
        DataError: see `call`; or it came to no DataFrame.
    """
    found = call(component, {"spark": spark, **available, output: str(folder)})
    if isinstance(found, DataFrame | pd.DataFrame):
        return found
    if found is None and any(folder.rglob(PARQUET)):
        try:  # Azure's write an MLTable file beside the data
            return spark.read.options(pathGlobFilter=PARQUET, recursiveFileLookup=True).parquet(str(folder))
        except SPARK_ERRORS as error:
            raise DataError(f"component {component.name}: what it wrote to {output}: {said_by(error)}") from error
    came = "nothing" if found is None else f"a {type(found).__name__}"
    raise DataError(f"component {component.name} returned {came} and not a DataFrame")


def read_from(  # noqa: PLR0917 - what is called, with what, and what is made of it
    spark: SparkSession,
    component: Component,
    connection: Connection,
    available: Mapping[str, Any],
    output: str,
    read: Callable[[DataFrame | pd.DataFrame], T],
) -> T:
    """What is read of the frame that a component returns, see `frame_from`, while its variables are set.

    Raises:
        DataError: it failed, there or while Spark worked the frame out; no secret is in the text.
    """
    with environment(connection) as hide, TemporaryDirectory(prefix="driftline-") as folder:
        try:
            return read(frame_from(spark, component, available, output, Path(folder)))
        except SPARK_ERRORS as error:
            raise DataError(hide(trouble_of(component, error))) from None
        except DataError as error:
            raise DataError(hide(str(error))) from None


def iso(moment: datetime) -> str:
    """A time in UTC as components get it, and as Azure writes it: ``2023-05-01T04:31:57.012Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trouble_of(component: Component, error: BaseException) -> str:
    """One sentence about an error in a component: its type, its text, and the line in the user's file."""
    found = _place(component, error)
    place = f" in {found[0]}, line {found[1]}" if found else ""
    said = _said(error)
    return f"component {component.name}: {type(error).__name__}{place}{f': {said}' if said else ''}"


def _said(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return error.msg
    return said_by(error) if isinstance(error, SPARK_ERRORS) else " ".join(str(error).split())


def _place(component: Component, error: BaseException) -> tuple[str, int | None] | None:
    """The file and the line; None where the error came from none of the component's files."""
    if isinstance(error, SyntaxError) and error.filename:
        return _short(error.filename, component), error.lineno
    in_task = re.findall(rf'File "{re.escape(str(component.folder))}/([^"]+)", line (\d+)', str(error))
    if in_task:
        return in_task[-1][0], int(in_task[-1][1])
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(component.folder)]
    return (_short(ours[-1].filename, component), ours[-1].lineno) if ours else None


def _short(file: str, component: Component) -> str:
    path = Path(file)
    return str(path.relative_to(component.folder)) if path.is_relative_to(component.folder) else file


def _function(component: Component) -> Callable[..., Any]:
    try:
        module = load(component)
    except (Exception, SystemExit) as error:
        raise DataError(trouble_of(component, error)) from error
    function = getattr(module, component.function, None)
    if not callable(function):
        why = "is not a function" if function is not None else "is not there"
        raise DataError(f"component {component.name}: {component.function} of {component.module} {why}")
    return function


# --------------------------------------------------------------------------------------------------- arguments


def _arguments(component: Component, function: Callable[..., Any], given: Mapping[str, Any]) -> inspect.BoundArguments:
    signature, types_ = inspect.signature(function), _annotations(function)
    found: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found[name] = {key: value for key, value in given.items() if key not in signature.parameters}
        elif parameter.kind in BY_NAME and name in given:
            found[name] = _as_annotated(component, name, given[name], types_.get(name))
        elif parameter.kind in BY_NAME and parameter.default is inspect.Parameter.empty:
            near = near_names(name, list(given))
            hint = f"did you mean {near[0]}? " if near else ""
            asked = f"component {component.name}: {component.function} asks for {name!r}, which it is not given"
            raise DataError(f"{asked} ({hint}there are {', '.join(sorted(given))})")
    return inspect.BoundArguments(signature, found)  # type: ignore[arg-type] - any ordered mapping does


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # it names a type that is only there for type checkers
        return getattr(function, "__annotations__", {})


def _as_annotated(component: Component, name: str, value: Any, annotation: Any) -> Any:
    """A scalar in the type that is asked for; anything else as it is."""
    if not isinstance(value, str | int | float):
        return value
    wanted = _scalar(annotation)
    if wanted is None or type(value) is wanted:
        return value
    try:
        return CONVERSIONS[wanted](value)
    except (ValueError, KeyError):
        asked = f"{component.function} asks for {name!r} as {wanted.__name__}"
        raise DataError(f"component {component.name}: {asked}, and it is {value!r}") from None


def _scalar(annotation: Any) -> type | None:
    """``float`` of ``float``, ``Optional[float]`` and ``"float"``; None where no scalar is asked for."""
    if isinstance(annotation, str):
        return next((kind for kind in CONVERSIONS if kind.__name__ == annotation), None)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        annotation = kinds[0] if len(kinds) == 1 else None
    return annotation if isinstance(annotation, type) and annotation in CONVERSIONS else None


def _text(value: str | float) -> str:
    """As it would be written in YAML: 2 rather than 2.0."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _whole(value: str | float) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError("not a whole number")
    return int(number)


CONVERSIONS: Mapping[type, Callable[[Any], Any]] = {
    str: _text,
    float: float,
    int: _whole,
    bool: lambda value: {"true": True, "false": False, "1": True, "0": False}[_text(value).lower()],
}
