"""Which datasets does a signal read: its own, the monitored model's, or the recent past?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.definitions.custom_keys import CustomInput
from engine.definitions.data_keys import ColumnNames, DataWindow, ProductionData, ReferenceData
from engine.definitions.generation_keys import LlmData
from engine.definitions.library import Library, ModelFile, UnknownNameError
from engine.definitions.sentences import Report
from engine.definitions.sources import source_of
from engine.monitor import Columns, Context, Data, FixedWindow, LookbackWindow, Source, TimeFormat, WindowDefinition
from engine.triggers import Trigger
from engine.windows import default_window, reference_window

__all__ = ["Datasets", "Setting"]

OF_INPUTS = ("timestamp", "timestamp_format", "correlation_id", "attributions")
OF_OUTPUTS = (*OF_INPUTS, "prediction", "score", "group", "rank")
ROLES_BY_CONTEXT: Mapping[Context, tuple[str, ...]] = {
    Context.MODEL_INPUTS: OF_INPUTS,
    Context.MODEL_OUTPUTS: OF_OUTPUTS,
    Context.MODEL_INPUTS_OUTPUTS: OF_OUTPUTS,
    # A label's timestamp is when it became known: another column than the one that production has.
    Context.GROUND_TRUTH: ("correlation_id", "actual"),
}
"""Which of a model's common roles a dataset of that context can have; of training data only the target is sure."""

Block = ProductionData | ReferenceData | LlmData
ROLES = frozenset(each.name for each in fields(Columns))
FIXED = frozenset({Context.TRAINING, Context.VALIDATION, Context.TEST})
PRODUCTION = frozenset({Context.MODEL_INPUTS, Context.MODEL_OUTPUTS, Context.MODEL_INPUTS_OUTPUTS})


@dataclass(frozen=True)
class Setting:
    """What the signals of a monitor have in common."""

    trigger: Trigger
    library: Library
    folder: Path
    model: ModelFile | None = None
    ml_task: str | None = None
    alerts: bool = False


@dataclass(frozen=True)
class Datasets:
    """Binds the data blocks of one signal; every method answers None after a report."""

    setting: Setting
    report: Report

    def production(self, blocks: Sequence[Block] | None, context: Context) -> tuple[Data, ...] | None:
        """The datasets to watch. One that has no window takes that of the first that has."""
        written = blocks or (ProductionData(),)
        asked = next((block.window for block in written if block.window), None)
        window = window_of(asked, default_window(self.setting.trigger, "production"))
        found: list[Data] = []
        for place, block in enumerate(written):
            own = window_of(block.window, window) if block.window else window
            data = self._bound(block, _context(block) or context, own, self.report.at("production_data", place))
            if data is None:
                return None
            found.append(data)
        return tuple(found)

    def inputs_and_outputs(self) -> tuple[ProductionData, ...]:
        """The model's inputs and its outputs, as who writes them both would."""
        joined = self.setting.model and self.setting.model.model.model_inputs_outputs
        contexts = [Context.MODEL_INPUTS_OUTPUTS] if joined else [Context.MODEL_INPUTS, Context.MODEL_OUTPUTS]
        return tuple(ProductionData(data_context=context) for context in contexts)

    def reference(self, block: ReferenceData | None, production: tuple[Data, ...]) -> Data | None:
        """The baseline: what is written, else the model's, else the recent past of production."""
        context = _context(block) if block else None
        past = reference_window(_window(production[0]))
        window = window_of(block.window, past) if block and block.window else None
        if block and block.input_data:
            return self._bound(block, context or Context.TRAINING, window, self.report.at("reference_data"))
        if context in PRODUCTION or (context is None and (window or not self._has_baseline())):
            return self._past(block, context, window or past, production)
        return self._bound(
            block or ReferenceData(), context or Context.TRAINING, window, self.report.at("reference_data")
        )

    def truth(self, block: ReferenceData | None) -> Data | None:
        """The ground truth."""
        block = block or ReferenceData()
        window = window_of(block.window, default_window(self.setting.trigger, "production")) if block.window else None
        return self._bound(block, _context(block) or Context.GROUND_TRUTH, window, self.report.at("reference_data"))

    def of_component(self, name: str, block: CustomInput) -> Data | None:
        """A dataset that a component gets: whole where it is to be so by its context, and else cut to a window."""
        context = _context(block) or Context.MODEL_INPUTS
        usual = default_window(self.setting.trigger, "production")
        window = None if context in FIXED and not block.window else window_of(block.window, usual)
        return self._bound(block, context, window, self.report.at("input_data", name))

    def has_truth(self) -> bool:
        """Whether the model has ground truth."""
        return bool(self.setting.model and self.setting.model.model.ground_truth)

    def _has_baseline(self) -> bool:
        return bool(self.setting.model and self.setting.model.model.baseline)

    def _past(
        self,
        block: ReferenceData | None,
        context: Context | None,
        window: WindowDefinition,
        production: tuple[Data, ...],
    ) -> Data | None:
        same = next((data for data in production if context in (None, data.context)), None)
        if same is None:
            return self._bound(block or ReferenceData(), context, window, self.report.at("reference_data"))
        if block is None:
            return replace(same, window=window)
        source = self._prepared(same.source, block.pre_processing_component, self.report.at("reference_data"))
        return source and replace(same, source=source, columns=_overridden(same.columns, block.columns), window=window)

    def _bound(
        self,
        block: Block,
        context: Context | None,
        window: WindowDefinition | None,
        report: Report,
    ) -> Data | None:
        context = context or Context.MODEL_INPUTS
        columns = self._common_columns(context)
        if block.input_data:
            source = source_of(block.input_data, self.setting.folder, self.setting.library, report.at("input_data"))
        else:
            source, columns = self._models_own(context, columns, report)
        source = source and self._prepared(source, block.pre_processing_component, report)
        if source is None:
            return None
        return Data(source, context, _overridden(columns, block.columns), window)

    def _prepared(self, source: Source, component: str | None, report: Report) -> Source | None:
        """The source with the component that makes its rows, where one is named."""
        if component is None:
            return source
        try:
            return replace(source, preprocessing=self.setting.library.component(component))
        except UnknownNameError as error:
            report.add(("pre_processing_component",), error.message, error.hint)
            return None

    def _common_columns(self, context: Context) -> Columns:
        if self.setting.model is None:
            return Columns()
        common = _given(self.setting.model.model.data_column_names)
        roles = ROLES_BY_CONTEXT.get(context, ("actual",))
        return replace(Columns(), **{role: common[role] for role in roles if role in common})

    def _models_own(self, context: Context, columns: Columns, report: Report) -> tuple[Source | None, Columns]:
        file = self.setting.model
        found = file.model.dataset(context) if file else None
        if file is None or found is None:
            owner = (
                f"the model {file.model.name!r} has no {context}"
                if file
                else "the monitor names no model to take it from"
            )
            report.add(("input_data",), f"is missing, and {owner}", "say where the rows are")
            return None, columns
        key, dataset = found
        own = Report(file.document, (key,))
        source = source_of(dataset.input_data, file.document.folder, self.setting.library, own.at("input_data"))
        source = source and self._prepared(source, dataset.pre_processing_component, own)
        report.problems.extend(own.problems)
        return source, _overridden(columns, dataset.data_column_names)


def window_of(asked: DataWindow | None, default: WindowDefinition) -> WindowDefinition:
    """The window that is asked for; what it leaves out comes from the default."""
    if asked is None:
        return default
    if asked.window_start and asked.window_end:
        return FixedWindow(asked.window_start, asked.window_end)
    if isinstance(default, FixedWindow):
        return default
    return LookbackWindow(asked.lookback_window_size or default.size, asked.lookback_window_offset or default.offset)


def _window(data: Data) -> WindowDefinition:
    assert data.window is not None  # production always has one
    return data.window


def _context(block: Block) -> Context | None:
    return Context(block.data_context) if block.data_context else None


def _overridden(columns: Columns, written: ColumnNames) -> Columns:
    return replace(columns, **_given(written))


def _given(written: ColumnNames) -> dict[str, Any]:
    """The roles that were written down, those set to null among them."""
    given = {role: getattr(written, role) for role in written.model_fields_set if role in ROLES}
    if "timestamp_format" in given:
        given["timestamp_format"] = TimeFormat(given["timestamp_format"])
    if "attributions" in given:
        given["attributions"] = tuple(given["attributions"].items())
    return given
