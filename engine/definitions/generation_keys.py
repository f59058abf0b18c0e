"""How the signals of a generating model are written: token counts that it logged, and scores of its answers."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from engine.definitions.custom_keys import ConnectionKeys
from engine.definitions.data_keys import DataBlock, ProductionColumns
from engine.definitions.metric_keys import Metrics
from engine.definitions.shape import Complaint, Shape, complain, key, reject
from engine.definitions.threshold_keys import ThresholdKeys, Thresholds
from engine.definitions.words import Name, Properties, Text, many
from signals.catalogue import Family
from signals.metrics import METRICS
from signals.pass_rates import QUALITIES, pass_rate_of

__all__ = ["ANSWER_ROLES", "TOKEN_ROLES", "LlmData", "SafetyQualitySignal", "TokenStatisticsSignal"]

ANSWER_ROLES = ("prompt", "completion", "context", "ground_truth")
TOKEN_ROLES = ("prompt_tokens", "completion_tokens", "total_tokens", "group")
ACCEPTABLE = 3.0
"""Azure's: of 5."""


class LlmColumns(ProductionColumns):
    """Which column of a generating model's data plays which role."""

    prompt: Name | None = key("prompt", "prompt_column", default=None, description="What the model was asked.")
    completion: Name | None = key(
        "completion", "completion_column", default=None, description="What the model answered."
    )
    context: Name | None = key("context", "context_column", default=None, description="What it was given to answer by.")
    ground_truth: Name | None = key(
        "ground_truth", "ground_truth_column", default=None, description="What it should have answered."
    )
    prompt_tokens: Name | None = key(
        "prompt_tokens", "prompt_count", default=None, description="How many tokens the prompt had."
    )
    completion_tokens: Name | None = key(
        "completion_tokens", "completion_count", default=None, description="How many tokens the answer had."
    )
    total_tokens: Name | None = key(
        "total_tokens", "total_count", default=None, description="How many both had; their sum when left out."
    )
    group: Name | None = key(default=None, description="What the counts are also added up by, such as the model.")


class LlmData(DataBlock):
    """Requests to a generating model, and its answers."""

    data_column_names: LlmColumns = key(default=LlmColumns(), description="Which column plays which role.")

    @property
    def columns(self) -> LlmColumns:
        """The roles that are written."""
        return self.data_column_names


OneOrMoreLlm = Annotated[
    tuple[LlmData, ...], BeforeValidator(many, json_schema_input_type=LlmData | tuple[LlmData, ...])
]


def _rate(value: float) -> float:
    if not 0 < value <= 1:
        raise complain(f"{value:g} is not above 0 and at most 1")
    return value


Rate = Annotated[float, AfterValidator(_rate)]


class _GenerationSignal(Shape):
    production_data: OneOrMoreLlm | None = key(
        default=None,
        description="The requests and answers, or several datasets joined by correlation id; when left out, the "
        "model's.",
    )
    alert_enabled: bool | None = key(
        default=None, description="Whether breaches alert; true when the monitor has an `alert_notification`."
    )
    min_rows: int = key(default=1, ge=0, description="With fewer rows a check is `insufficient_data`.")
    properties: Properties = key(default_factory=dict, description="Anything you want to keep with the signal.")


class TokenThresholds(Shape):
    """Token counts."""

    totaltoken: Annotated[dict[str, Thresholds], Metrics((Family.TOKENS,))] = key(
        "totaltoken", "total_token", default_factory=dict, description="Sums and means, of all and of each group."
    )


class TokenStatisticsSignal(_GenerationSignal):
    """How many tokens did requests take?"""

    type: Literal["generation_token_statistics"] = key(description="`generation_token_statistics`.")
    metric_thresholds: TokenThresholds = key(
        default=TokenThresholds(), description="Every metric is recorded; those that have a threshold are judged."
    )
    sampling_rate: Rate = key(default=1.0, description="Accepted for Azure's sake: every request is counted.")


def acceptable_score_of(quality: str) -> str:
    """Azure's key for the least score of a quality that passes."""
    return f"acceptable_{quality}_score_per_instance"


class AnswerThreshold(Shape):
    """A quality of answers: which scores are acceptable, and which share of the answers has to be.

    Each key has the quality's own name in it: `aggregated_fluency_pass_rate`.
    """

    aggregated_pass_rate: Thresholds = key(
        "aggregated_pass_rate",
        *(pass_rate_of(quality) for quality in QUALITIES),
        default=(ThresholdKeys(),),
        description="Below this share of acceptable answers it breaches; null records the share.",
    )
    acceptable_score_per_instance: Annotated[float, Field(allow_inf_nan=False)] = key(
        "acceptable_score_per_instance",
        *(acceptable_score_of(quality) for quality in QUALITIES),
        default=ACCEPTABLE,
        description="The least score that is acceptable; 3 of 5, as Azure has it.",
    )

    def complaints(self) -> Iterator[Complaint]:
        metric = METRICS[pass_rate_of(QUALITIES[0])]  # they differ in nothing but their names
        if len(self.aggregated_pass_rate) > 1:
            yield Complaint(("aggregated_pass_rate", 1), "is a second threshold of the same metric", "keep one of them")
        for threshold in self.aggregated_pass_rate:
            yield from (each._replace(key=("aggregated_pass_rate", *each.key)) for each in threshold.against(metric))


def _of(quality: str) -> Any:
    """Reads the threshold of one quality, its keys in any case, and refuses keys of another."""
    own = {_fold(name): name for name in (pass_rate_of(quality), acceptable_score_of(quality))}

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = {key: own.get(_fold(str(key)), key) for key in value}
        others = {key: name for key in keys for name in QUALITIES if name != quality and name in str(key).lower()}
        twice = [key for place, key in enumerate(keys) if keys[key] in [*keys.values()][:place]]
        if twice:
            raise reject(quality, [Complaint((key,), "is written twice", "keep one of them") for key in twice])
        if others:
            said = [Complaint((key,), f"is of {name}", f"write it under {name}") for key, name in others.items()]
            raise reject(quality, said)
        return {keys[key]: each for key, each in value.items()}

    return BeforeValidator(read, json_schema_input_type=AnswerThreshold | None)


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


class AnswerThresholds(Shape):
    """Qualities of answers, each with its threshold."""

    groundedness: Annotated[AnswerThreshold | None, _of("groundedness")] = key(
        default=None, description="Does the answer stand on the context?"
    )
    relevance: Annotated[AnswerThreshold | None, _of("relevance")] = key(
        default=None, description="Is it about what was asked?"
    )
    coherence: Annotated[AnswerThreshold | None, _of("coherence")] = key(
        default=None, description="Do its sentences hold together?"
    )
    fluency: Annotated[AnswerThreshold | None, _of("fluency")] = key(
        default=None, description="Is its language well formed?"
    )
    similarity: Annotated[AnswerThreshold | None, _of("similarity")] = key(
        default=None, description="Is it like the true answer?"
    )

    @property
    def named(self) -> dict[str, AnswerThreshold]:
        """Those that are written."""
        found = {quality: getattr(self, quality) for quality in QUALITIES}
        return {quality: threshold for quality, threshold in found.items() if threshold is not None}

    def complaints(self) -> Iterator[Complaint]:
        if not self.named:
            yield Complaint((), "names no quality", f"one of: {', '.join(QUALITIES)}")


class SafetyQualitySignal(_GenerationSignal):
    """Are answers good enough, by the scores of a component of your own?"""

    type: Literal["generation_safety_quality"] = key(description="`generation_safety_quality`.")
    metric_thresholds: AnswerThresholds = key(description="The qualities that answers are scored by.")
    scoring_component: Name | None = key(
        default=None,
        description="The component that scores answers: `azureml:name:version`, or `module:function` of a file in "
        "`components/`. driftline has no model of its own.",
    )
    sampling_rate: Rate = key(
        default=1.0, description="Which share of the answers is scored; the same answers in every run."
    )
    connection: ConnectionKeys | None = key(default=None, description="The component's environment variables.")
    connection_id: Text | None = key(
        "connection_id",
        "workspace_connection_id",
        default=None,
        description="Azure's name of a connection; not used: what the component needs is in `connection`.",
    )

    def complaints(self) -> Iterator[Complaint]:
        if self.scoring_component is None:
            hint = "name the component of yours that scores answers; driftline has no model of its own"
            yield Complaint(("scoring_component",), "is missing", hint)
