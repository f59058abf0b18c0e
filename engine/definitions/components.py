"""Which function of which file does a component's name mean? Answered from the files' text: nothing is imported."""

import os
import re
from pathlib import Path

from engine.component_modules import module_file, modules_in, names_in
from engine.definitions.component_keys import ENTRY, ComponentAsset
from engine.definitions.shape import did_you_mean
from engine.definitions.unknown import UnknownNameError
from engine.monitor import Component

__all__ = ["asset_component", "direct_component"]

FOLDER = "components"


def asset_component(asset: ComponentAsset, root: Path) -> Component:
    """The component of an asset in a library of that root.

    Raises:
        UnknownNameError: its file or its function is not there.
    """
    folder = Path(os.path.normpath(root / asset.path)) if asset.path else _folder(root)
    return _component(next(asset.references), asset.entry, folder)


def direct_component(entry: str, root: Path) -> Component:
    """The component of ``module:function`` in the components' folder of a library.

    Raises:
        UnknownNameError: it is written otherwise, or its file or its function is not there.
    """
    if not ENTRY.fullmatch(entry):
        hint = "name one in assets.yaml (azureml:name:version), or a function of a file in components/"
        raise UnknownNameError(f"{entry!r} is neither azureml:name:version nor module:function", hint)
    return _component(entry, entry, _folder(root))


def _folder(root: Path) -> Path:
    """Where components are: the folder of that name in a library's root, or else the root itself."""
    own = root / FOLDER
    return own if own.is_dir() else root


def _component(name: str, entry: str, folder: Path) -> Component:
    module, function = re.split(":", entry)
    file = module_file(folder, module)
    if file is None:
        hint = did_you_mean(module, modules_in(folder)) or "its file belongs there"
        raise UnknownNameError(f"there is no module {module!r} in {folder}", hint)
    try:
        names = names_in(file)
    except SyntaxError as error:
        raise UnknownNameError(f"{file} is not Python: {error.msg} (line {error.lineno})") from None
    except (OSError, ValueError) as error:
        raise UnknownNameError(f"{file} cannot be read: {error}") from None
    if names is not None and function not in names:
        raise UnknownNameError(f"{file} has no function {function!r}", did_you_mean(function, sorted(names)))
    return Component(name, folder, module, function)
