"""One evaluation, with what is known of its checks' past."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from engine.monitor import Monitor
from engine.results import CheckKey

if TYPE_CHECKING:
    from engine.run import Evaluation

__all__ = ["Found"]


@dataclass(frozen=True)
class Found:
    """One evaluation with its past.

    Attributes:
        monitor: what was evaluated.
        evaluation: what came out.
        since: of each check that breached when it was judged before, too: since which scheduled time.
        revised: earlier times that were evaluated again because labels have arrived since.
    """

    monitor: Monitor
    evaluation: "Evaluation"
    since: Mapping[CheckKey, datetime]
    revised: "tuple[Evaluation, ...]" = ()
