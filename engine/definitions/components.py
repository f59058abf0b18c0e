"""Which function of which file does a component's name mean? Answered from the files' text: nothing is imported."""

import os
import re
from pathlib import Path

from engine.component_modules import module_file, modules_in, names_in
from engine.definitions.component_keys import ENTRY, ComponentAsset
from engine.definitions.shape import did_you_mean
from engine.definitions.unknown import UnknownNameError
from engine.monitor import Component

__all__ = ["ALLOWED", "asset_component", "direct_component"]

FOLDER = "components"
ALLOWED = "DRIFTLINE_COMPONENTS"
"""The variable that says which folders components may be imported from, with all that is in them, as PATH does.
Relative ones are in the library's root."""


def asset_component(asset: ComponentAsset, root: Path) -> Component:
    """The component of an asset in a library of that root.

    Raises:
        UnknownNameError: its file or its function is not there.
    """
    folder = Path(os.path.normpath(root / asset.path)) if asset.path else _folder(root)
    return _component(next(asset.references), asset.entry, folder, root)


def direct_component(entry: str, root: Path) -> Component:
    """The component of ``module:function`` in the components' folder of a library.

    Raises:
        UnknownNameError: it is written otherwise, or its file or its function is not there.
    """
    if not ENTRY.fullmatch(entry):
        hint = "name one in assets.yaml (azureml:name:version), or a function of a file in components/"
        raise UnknownNameError(f"{entry!r} is neither azureml:name:version nor module:function", hint)
    return _component(entry, entry, _folder(root), root)


def _folder(root: Path) -> Path:
    """Where components are: the folder of that name in a library's root, or else the root itself."""
    own = root / FOLDER
    return own if own.is_dir() else root


def _component(name: str, entry: str, folder: Path, root: Path) -> Component:
    module, function = re.split(":", entry)
    file = module_file(folder, module)
    if file is None:
        hint = did_you_mean(module, modules_in(folder)) or "its file belongs there"
        raise UnknownNameError(f"there is no module {module!r} in {folder}", hint)
    if not (_is_allowed(folder, root) and _is_allowed(file, root)):
        hint = f"{ALLOWED}, or `components` in a server's settings, says which folders these are"
        raise UnknownNameError(f"{file} is in none of the folders that components may be imported from", hint)
    try:
        names = names_in(file)
    except SyntaxError as error:
        raise UnknownNameError(f"{file} is not Python: {error.msg} (line {error.lineno})") from None
    except (OSError, ValueError) as error:
        raise UnknownNameError(f"{file} cannot be read: {error}") from None
    if names is not None and function not in names:
        raise UnknownNameError(f"{file} has no function {function!r}", did_you_mean(function, sorted(names)))
    return Component(name, folder, module, function)


def _is_allowed(place: Path, root: Path) -> bool:
    """Whether what is there, whatever links lead to it, is in one of the folders; without the variable anything is."""
    allowed = os.environ.get(ALLOWED)
    if allowed is None:
        return True
    folders = [(root / each).resolve() for each in allowed.split(os.pathsep) if each]
    return any(place.resolve().is_relative_to(folder) for folder in folders)
