"""How many tokens did a generating model take in and give back? Logged counts added up, never estimated."""

from dataclasses import dataclass, fields
from typing import Any, Self

from signals.catalogue import Bad, Family, metric
from signals.measurement import Measurement, Undefined

__all__ = [
    "Tokens", "average_completion_count", "average_prompt_count", "average_token_count", "total_completion_count",
    "total_prompt_count", "total_token_count", "total_token_count_per_group",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts that requests logged. ``a + b`` counts both, `empty` changes nothing.

    Attributes:
        requests: how many requests there are.
        prompts, completions, totals: how many of them logged the count.
        prompt, completion, total: the tokens that those logged.
    """

    requests: int = 0
    prompts: int = 0
    prompt: int = 0
    completions: int = 0
    completion: int = 0
    totals: int = 0
    total: int = 0

    @classmethod
    def empty(cls) -> Self:
        """Of no requests."""
        return cls()

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


COUNT: dict[str, Any] = {
    "family": Family.TOKENS, "bad": Bad.HIGHER, "unit": "tokens", "range": (0.0, float("inf")),
    "source": "Azure Machine Learning, generation_token_statistics",
}  # fmt: skip


@metric("total_token_count", **COUNT)
def total_token_count(tokens: Tokens) -> Measurement | Undefined:
    """All tokens of all requests."""
    return _sum(tokens, tokens.total, tokens.totals)


@metric("total_prompt_count", **COUNT)
def total_prompt_count(tokens: Tokens) -> Measurement | Undefined:
    """The prompts' tokens of all requests."""
    return _sum(tokens, tokens.prompt, tokens.prompts)


@metric("total_completion_count", **COUNT)
def total_completion_count(tokens: Tokens) -> Measurement | Undefined:
    """The completions' tokens of all requests."""
    return _sum(tokens, tokens.completion, tokens.completions)


@metric("average_token_count", aliases=("avg_token_count",), **COUNT)
def average_token_count(tokens: Tokens) -> Measurement | Undefined:
    """All tokens per request that logged them."""
    return _mean(tokens, tokens.total, tokens.totals)


@metric("average_prompt_count", aliases=("avg_prompt_count",), **COUNT)
def average_prompt_count(tokens: Tokens) -> Measurement | Undefined:
    """The prompt's tokens per request that logged them."""
    return _mean(tokens, tokens.prompt, tokens.prompts)


@metric("average_completion_count", aliases=("avg_completion_count",), **COUNT)
def average_completion_count(tokens: Tokens) -> Measurement | Undefined:
    """The completion's tokens per request that logged them."""
    return _mean(tokens, tokens.completion, tokens.completions)


@metric("total_token_count_per_group", **COUNT)
def total_token_count_per_group(tokens: Tokens) -> Measurement | Undefined:
    """All tokens of the requests of one group, such as a model; each group has a row."""
    return _sum(tokens, tokens.total, tokens.totals)


def _sum(tokens: Tokens, value: int, logged: int) -> Measurement | Undefined:
    return (
        _unlogged(tokens)
        if not logged
        else Measurement(float(value), tokens.requests, details=_details(tokens, logged))
    )


def _mean(tokens: Tokens, value: int, logged: int) -> Measurement | Undefined:
    return _unlogged(tokens) if not logged else Measurement(value / logged, logged, details=_details(tokens, logged))


def _unlogged(tokens: Tokens) -> Undefined:
    return Undefined(f"none of {tokens.requests:,} requests logged it" if tokens.requests else "there are no requests")


def _details(tokens: Tokens, logged: int) -> dict[str, Any]:
    return {"requests": tokens.requests, "logged": logged, "prompt": tokens.prompt, "completion": tokens.completion}
