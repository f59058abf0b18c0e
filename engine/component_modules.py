"""Where is a component's code, and how is it loaded without touching anybody else's modules?

A component is a function in a Python file of the user's. Its folder becomes a package with a name of its own, which has
a digest of its sources in it, so that a module called `signals` or `metrics` collides with nobody's, and an edited file
is loaded anew. While the code is loaded and while it runs, its siblings can also be imported by their plain names.
"""

import ast
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from importlib import import_module, invalidate_caches
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

from engine.monitor import Component

__all__ = ["load", "module_file", "modules_in", "names_in", "siblings_importable", "source_digest"]

ROOT = "driftline_component_"


def module_file(folder: Path, module: str) -> Path | None:
    """The file of a dotted module in this folder; None where there is none."""
    place = folder.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def modules_in(folder: Path) -> list[str]:
    """The names of the folder's own modules, in order."""
    return sorted(file.stem for file in folder.glob("*.py") if file.stem.isidentifier())


def names_in(file: Path) -> set[str] | None:
    """The names that a module defines or imports at its top level, read and not run; None where it imports ``*``.

    Raises:
        SyntaxError: it is not Python.
        OSError: it cannot be read.
    """
    found: set[str] = set()
    for statement in ast.parse(file.read_bytes(), str(file)).body:
        for node in ast.walk(statement) if not hasattr(statement, "name") else (statement,):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add(node.asname or node.name)
    return None if "*" in found else found


def source_digest(component: Component) -> str:
    """Sixteen hex digits that change with any Python file of the component's folder."""
    digest = blake2b(digest_size=8)
    for file in sorted(_python_files(component.folder)):
        for part in (str(file.relative_to(component.folder)).encode(), file.read_bytes()):
            digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def _python_files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (Path(here, name) for name in files if name.endswith(".py"))


def load(component: Component) -> ModuleType:
    """The component's module, loaded once for each state of its folder.

    Raises:
        Exception: whatever its code raises.
    """
    root = _package(component)
    with siblings_importable(component):
        return import_module(f"{root}.{component.module}")


@contextmanager
def siblings_importable(component: Component) -> Generator[None]:
    """While the block runs, modules of the component's folder can be imported by their plain names."""
    root, written = _package(component), sys.dont_write_bytecode
    siblings = _Siblings(root, component.folder)
    sys.meta_path.insert(0, siblings)
    sys.dont_write_bytecode = True  # a user's folder stays as it was
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.meta_path.remove(siblings)
        for name in siblings.lent:
            sys.modules.pop(name, None)


def _package(component: Component) -> str:
    """The name of the package that the component's folder is to Python; it is made where it is not there yet."""
    from pyspark import cloudpickle

    place = blake2b(str(component.folder).encode(), digest_size=4).hexdigest()
    root = f"{ROOT}{place}_{source_digest(component)}"
    if root not in sys.modules:
        package = ModuleType(root, "A folder of components.")
        package.__path__ = [str(component.folder)]
        sys.modules[root] = package
        # Executors get its functions with the work: they have no such folder.
        cloudpickle.register_pickle_by_value(package)
        invalidate_caches()
    return root


class _Siblings(MetaPathFinder, Loader):
    """Lends the modules of a folder, loaded under the names that they have for us, under their plain names."""

    def __init__(self, root: str, folder: Path) -> None:
        self.lent: list[str] = []
        self._root, self._folder = root, folder
        self._own: ModuleSpec | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del target
        parent = fullname.rpartition(".")[0]
        ours = parent in self.lent if path is not None else module_file(self._folder, fullname) is not None
        return spec_from_loader(fullname, self) if ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(f"{self._root}.{spec.name}")
        self.lent.append(spec.name)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # Python has just said that it was lent; it has run already
