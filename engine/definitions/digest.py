"""Is this the same definition as then? A digest that says so on every result row."""

import json
import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from engine.definitions.library import Library, ModelFile, UnknownNameError
from engine.definitions.monitor_keys import Schedule
from engine.definitions.named import Named
from engine.definitions.shape import Shape
from engine.monitor import Source

__all__ = ["config_hash"]


def config_hash(schedule: Schedule, model: ModelFile | None, library: Library, sources: Iterable[Source] = ()) -> str:
    """Sixteen hex digits, equal where monitor, model, and used assets, components and MLTables mean the same.

    The order of keys and the spelling of names do not matter; nor does where the files are, as paths are taken as they
    are written.
    """
    said = {"monitor": _canonical(schedule), "model": _canonical(model.model) if model else None}
    text = json.dumps(said, sort_keys=True)
    assets = sorted({name for name in re.findall(r'"path": "(azureml:[^"]+)"', text) if _known(name, library.asset)})
    used = {name: _asset(library.asset(name)) for name in assets}
    components = set(re.findall(r'"\w*component\w*": "(azureml:[^"]+)"', text))
    used |= {
        name: _asset(library.component_asset(name))
        for name in sorted(components)
        if _known(name, library.component_asset)
    }
    tables = sorted({source.mltable.said for source in sources if source.mltable})
    everything = [said, used, *([tables] if tables else [])]
    return blake2b(json.dumps(everything, sort_keys=True).encode(), digest_size=8).hexdigest()


def _canonical(shape: Shape) -> dict[str, Any]:
    return shape.model_dump(mode="json", exclude_unset=True, exclude={"schema_"})


def _asset(asset: Named) -> dict[str, Any]:
    """What it stands for; what else it is called does not matter."""
    said = _canonical(asset)
    return {key: value for key, value in said.items() if key not in ("versions", "labels")} | {
        "version": asset.versions[0]
    }


def _known(name: str, find: Callable[[str], Shape]) -> bool:
    try:
        find(name)
    except UnknownNameError:
        return False
    return True
