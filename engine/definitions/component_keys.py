"""How a component is written: a name, a version, and the function of a Python file that it stands for."""

import re
from typing import Annotated

from pydantic import AfterValidator

from engine.definitions.named import Named
from engine.definitions.shape import complain, key
from engine.definitions.words import Name, Text

__all__ = ["ENTRY", "ComponentAsset"]

ENTRY = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<function>[^\W\d]\w*)")
"""``module:function``; a module in a folder below is ``folder.module``, and nothing leads out of the folder."""


def _entry(value: str) -> str:
    if not ENTRY.fullmatch(value):
        raise complain(f"{value!r} is not module:function", "such as custom_signal:run, for run in custom_signal.py")
    return value


Entry = Annotated[Name, AfterValidator(_entry)]


class ComponentAsset(Named):
    """A function of your own: what `azureml:name:version` stands for where a component is meant."""

    description: Text | None = key(default=None, description="What it does.")
    entry: Entry = key(description="`module:function`: the function in the file `module.py`.")
    path: Name | None = key(
        default=None,
        description="The folder of the file, relative to `assets.yaml`; `components` beside it when left out.",
    )
