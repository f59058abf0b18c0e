"""How `models/*.yaml` and `assets.yaml` are written: our own files, which bind Azure's names to data."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from engine.definitions.component_keys import ComponentAsset
from engine.definitions.data_keys import PREPROCESSING, ColumnNames, InputData, ProductionColumns, ReferenceColumns
from engine.definitions.monitor_keys import TASKS
from engine.definitions.named import Named, said_twice
from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import Name, Text, many
from engine.monitor import Context

__all__ = ["Assets", "Model"]


class ProductionDataset(Shape):
    """A dataset of what the model did in production."""

    input_data: InputData = key(description="Where the rows are.")
    pre_processing_component: Name | None = key(default=None, description=PREPROCESSING)
    data_column_names: ProductionColumns = key(default=ProductionColumns(), description="Roles of its columns.")


class ReferenceDataset(Shape):
    """Training data or ground truth."""

    input_data: InputData = key(description="Where the rows are.")
    pre_processing_component: Name | None = key(default=None, description=PREPROCESSING)
    data_column_names: ReferenceColumns = key(default=ReferenceColumns(), description="Roles of its columns.")


Names = Annotated[tuple[Name, ...], BeforeValidator(many, json_schema_input_type=Name | tuple[Name, ...])]


class Model(Shape):
    """A named model and its data, so that monitors need not repeat it."""

    schema_: str | None = key("$schema", default=None, description="Not used.")
    name: Name = key(description="What `monitoring_target.model_id` calls it.")
    description: Text | None = key(default=None, description="What it does.")
    ml_task: Annotated[str, TASKS] | None = key(default=None, description="What kind of model it is.")
    endpoint_deployment_ids: Names = key(
        "endpoint_deployment_ids",
        "endpoint_deployment_id",
        default=(),
        description="What `monitoring_target.endpoint_deployment_id` calls it: `azureml:endpoint:deployment`.",
    )
    data_column_names: ColumnNames = key(
        default=ColumnNames(), description="Roles that are the same in all its datasets."
    )
    model_inputs: ProductionDataset | None = key(default=None, description="The features that it was given.")
    model_outputs: ProductionDataset | None = key(default=None, description="Its predictions.")
    model_inputs_outputs: ProductionDataset | None = key(default=None, description="Both, where they are one dataset.")
    ground_truth: ReferenceDataset | None = key(
        "ground_truth", "actuals", default=None, description="What turned out to be true."
    )
    baseline: ReferenceDataset | None = key(
        "baseline", "training", default=None, description="What production is compared with: the training data."
    )

    def complaints(self) -> Iterator[Complaint]:
        for name in ("model_inputs", "model_outputs"):
            if self.model_inputs_outputs and getattr(self, name):
                yield Complaint((name,), "cannot go with model_inputs_outputs", "keep one of them")

    def dataset(self, context: Context) -> tuple[str, ProductionDataset | ReferenceDataset] | None:
        """The key and the dataset of that context; None where the model has none."""
        names = {
            Context.MODEL_INPUTS: ("model_inputs", "model_inputs_outputs"),
            Context.MODEL_OUTPUTS: ("model_outputs", "model_inputs_outputs"),
            Context.TRAINING: ("baseline",),
        }.get(context, (context.value,))
        found: Any = ((name, getattr(self, name, None)) for name in names)
        return next(((name, dataset) for name, dataset in found if dataset), None)


class Asset(Named, InputData):
    """A named, versioned path, table or query: what `azureml:name:version` stands for."""


class Assets(Shape):
    """All assets: data, and components."""

    schema_: str | None = key("$schema", default=None, description="Not used.")
    assets: tuple[Asset, ...] = key(default=(), description="A list of data assets.")
    components: tuple[ComponentAsset, ...] = key(default=(), description="A list of functions of your own.")

    def complaints(self) -> Iterator[Complaint]:
        yield from said_twice("assets", self.assets)
        yield from said_twice("components", self.components)
