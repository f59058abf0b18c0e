"""Which values were there, by name while they are few? The mutable twins of `signals.distinct.Distinct`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from signals.distinct import sketch, sketch_numbers
from signals.profile import most_frequent

__all__ = ["DistinctNumbers", "UnseenTexts"]


@dataclass
class DistinctNumbers:
    """Distinct numbers: themselves while they are few, then a sketch, or only the knowledge that they are more."""

    up_to: int
    estimate: bool
    values: set[float] = field(default_factory=set[float])
    registers: npt.NDArray[np.uint8] | None = None

    def add(self, x: npt.NDArray[np.float64]) -> None:
        """Take in these numbers; -0.0 is 0.0."""
        if self.registers is None and len(self.values) <= self.up_to:
            self.values.update((np.unique(x)[: self.up_to + 1] + 0.0).tolist())
            if len(self.values) <= self.up_to or not self.estimate:
                return
            self.registers = sketch_numbers(np.array(sorted(self.values)))
        if self.registers is not None:
            self.registers = np.maximum(self.registers, sketch_numbers(x + 0.0))

    def join(self, other: "DistinctNumbers") -> None:
        """Take in what another has seen."""
        self.add(np.array(sorted(other.values)))
        if other.registers is not None:
            mine = sketch_numbers(np.array(sorted(self.values))) if self.registers is None else self.registers
            self.registers = np.maximum(mine, other.registers)

    @property
    def texts(self) -> list[str]:
        """The numbers as text; none where there is a sketch."""
        return [] if self.registers is not None else [repr(value) for value in sorted(self.values)[: self.up_to + 1]]


@dataclass
class UnseenTexts:
    """Values outside the vocabulary: all of them while they are few, then the frequent ones and a sketch of all."""

    named: int
    counts: dict[str, int] = field(default_factory=dict[str, int])
    registers: npt.NDArray[np.uint8] | None = None

    def add(self, texts: Iterable[str], counts: Iterable[int]) -> None:
        """Take in these values, each as often as counted."""
        texts = list(texts)
        if self.registers is not None:
            self.registers = np.maximum(self.registers, sketch(texts))
        for text, count in zip(texts, counts, strict=True):
            self.counts[text] = self.counts.get(text, 0) + count
        if len(self.counts) > 10 * self.named:
            self._sketched()
            self.counts = most_frequent(self.counts, 5 * self.named)

    def join(self, other: "UnseenTexts") -> None:
        """Take in what another has seen."""
        self.add(other.counts, other.counts.values())
        if other.registers is not None:
            self.registers = np.maximum(self._sketched(), other.registers)

    def _sketched(self) -> npt.NDArray[np.uint8]:
        if self.registers is None:
            self.registers = sketch(self.counts)
        return self.registers

    def kept(self) -> Mapping[str, int]:
        """The most frequent values; where they are not all, there are registers from now on."""
        if len(self.counts) > self.named:
            self._sketched()
        return most_frequent(self.counts, self.named)
