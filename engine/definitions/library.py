"""What do the names in a definition stand for: `azureml:name:version`, a model, an endpoint's deployment?

A library is the folder that `conf/` is: `assets.yaml` beside a folder `models/`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from engine.definitions.component_keys import ComponentAsset
from engine.definitions.components import asset_component, direct_component
from engine.definitions.document import Document, read_document
from engine.definitions.model_keys import Asset, Assets, Model
from engine.definitions.named import find_named
from engine.definitions.sentences import problems_of
from engine.definitions.shape import did_you_mean
from engine.definitions.unknown import UnknownNameError
from engine.errors import Problem
from engine.monitor import Component

__all__ = ["AssetFile", "Library", "ModelFile", "UnknownNameError", "is_yaml", "library_root", "read_library"]

Naming = Callable[[Path], str]
"""How a file is called when we talk to people about it."""


@dataclass(frozen=True)
class ModelFile:
    model: Model
    document: Document


@dataclass(frozen=True)
class AssetFile:
    assets: tuple[Asset, ...]
    document: Document
    components: tuple[ComponentAsset, ...] = ()


@dataclass(frozen=True)
class Library:
    """The models and assets of one root.

    Attributes:
        root: its folder; None where there is no library.
        models: by name.
        files: the names of all files that were read.
        problems: what is wrong in them.
    """

    root: Path | None = None
    models: Mapping[str, ModelFile] = field(default_factory=dict[str, ModelFile])
    asset_file: AssetFile | None = None
    files: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def asset(self, reference: str) -> Asset:
        """The asset of ``azureml:name:version`` or ``azureml:name@label``; of ``azureml:name`` the highest version.

        Raises:
            UnknownNameError: when there is none.
        """
        return find_named(reference, self.asset_file.assets if self.asset_file else (), "asset")

    def component_asset(self, reference: str) -> ComponentAsset:
        """The component asset of a name; see `asset`.

        Raises:
            UnknownNameError: when there is none.
        """
        return find_named(reference, self.asset_file.components if self.asset_file else (), "component")

    def component(self, reference: str) -> Component:
        """The component of a name in `assets.yaml`, or of ``module:function`` in the library's components.

        Nothing is imported; that its file has such a function is read from its text.

        Raises:
            UnknownNameError: when there is none.
        """
        root = self.root or Path()
        if not reference.startswith("azureml:"):
            return direct_component(reference, root)
        return asset_component(self.component_asset(reference), root)

    def model(self, model_id: str) -> ModelFile:
        """The model of ``name`` or ``azureml:name:version``.

        Raises:
            UnknownNameError: when there is none.
        """
        name = re.sub(r"^azureml:([^:@]+)([:@].*)?$", r"\1", model_id)
        if name not in self.models:
            hint = did_you_mean(name, list(self.models)) or "add a file to models/"
            raise UnknownNameError(f"no model is named {name!r}", hint)
        return self.models[name]

    def deployed(self, deployment: str) -> ModelFile:
        """The model behind ``azureml:endpoint:deployment``.

        Raises:
            UnknownNameError: when there is none.
        """
        known = {_plain(name): found for found in self.models.values() for name in found.model.endpoint_deployment_ids}
        if _plain(deployment) not in known:
            near = did_you_mean(_plain(deployment), list(known))
            hint = near or "add it to endpoint_deployment_ids of a file in models/, or leave this key out"
            raise UnknownNameError(f"no model has the deployment {deployment!r}", hint)
        return known[_plain(deployment)]


def _plain(deployment: str) -> str:
    return deployment.removeprefix("azureml:")


def is_yaml(path: Path) -> bool:
    """Whether a file's name says that it is YAML."""
    return path.suffix.lower() in {".yaml", ".yml"}


def library_root(folder: Path) -> Path:
    """The nearest folder, from this one up, with `assets.yaml` or `models/`; else this one."""
    for parent in (folder, *folder.parents):
        if (parent / "models").is_dir() or any(_asset_paths(parent)):
            return parent
    return folder


def _asset_paths(root: Path) -> Iterator[Path]:
    return (path for path in (root / "assets.yaml", root / "assets.yml") if path.is_file())


def read_library(root: Path, naming: Naming) -> Library:
    """Read `assets.yaml` and `models/` of a root; what is wrong in them is in `problems`."""
    problems: list[Problem] = []
    asset_paths = list(_asset_paths(root))
    model_paths = sorted(path for path in (root / "models").rglob("*") if is_yaml(path))
    asset_files = [found for path in asset_paths if (found := _read_assets(path, naming, problems))]
    models: dict[str, ModelFile] = {}
    deployments: dict[str, str] = {}
    for path in model_paths:
        found = _read_model(path, naming, problems)
        if found is None:
            continue
        first = models.setdefault(found.model.name, found)
        if first is not found:
            problems.append(found.document.problem(("name",), _twice("model", found.model.name, first.document.file)))
        for place, name in enumerate(found.model.endpoint_deployment_ids):
            owner = deployments.setdefault(_plain(name), found.document.file)
            if owner != found.document.file:
                key = ("endpoint_deployment_ids", place)
                problems.append(found.document.problem(key, _twice("deployment", name, owner)))
    files = frozenset(map(naming, [*asset_paths, *model_paths]))
    return Library(root, models, asset_files[0] if asset_files else None, files, tuple(sorted(problems)))


def _twice(what: str, name: str, file: str) -> str:
    return f"the {what} {name!r} is in {file} already"


def _read_assets(path: Path, naming: Naming, problems: list[Problem]) -> AssetFile | None:
    document = read_document(path, naming(path))
    problems.extend(document.problems)
    if document.data is None:
        return None
    try:
        read = Assets.model_validate(document.data)
    except ValidationError as error:
        problems.extend(problems_of(error, document))
        return None
    for place, component in enumerate(read.components):
        try:
            asset_component(component, document.folder)
        except UnknownNameError as error:
            problems.append(document.problem(("components", place, "entry"), error.message, error.hint))
    return AssetFile(read.assets, document, read.components)


def _read_model(path: Path, naming: Naming, problems: list[Problem]) -> ModelFile | None:
    document = read_document(path, naming(path))
    problems.extend(document.problems)
    if document.data is None:
        return None
    try:
        return ModelFile(Model.model_validate(document.data), document)
    except ValidationError as error:
        problems.extend(problems_of(error, document))
        return None
