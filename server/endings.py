"""What does it mean that a run's process ended as it did, and what is to be done?"""

import re
from collections.abc import Mapping

from server.guard import NOT_STARTED, SILENCE

__all__ = ["FINE", "HOPELESS", "reason_of"]

FINE = frozenset({0, 10})
"""Exit codes of runs that evaluated what they were asked for; see `jobs.exits`."""
HOPELESS = frozenset({2})
"""Exit codes after which trying again would end in the same way: a definition is wrong."""
OUT_OF_MEMORY = re.compile(r"java\.lang\.OutOfMemoryError|exceeding (?:physical )?memory limits|OOMKilled")
"""What Spark says where a JVM of its ran out of memory, and where a cluster ended one for that."""
LAST_LINES = 20

MEMORY = (
    "give it more: launcher.conf: {spark.driver.memory: 4g}, on a cluster spark.executor.memory too; "
    "or let fewer runs go on at once: policy.max_concurrent_runs"
)
REASONS: Mapping[int, str] = {
    1: "Spark did not start, or driftline has met a bug",
    2: "a definition is wrong",
    3: "data cannot be read",
    4: "the store cannot be read or written",
    SILENCE: "the registry could not be reached, and somebody else might have taken it over: it was ended",
    NOT_STARTED: "its command cannot be started",
    137: f"it was killed (137): most often because the machine had no memory left; {MEMORY}",
    143: "it was terminated (143)",
}


def reason_of(code: int, output: str) -> str:
    """In words, with the end of what the process said.

    A JVM without memory ends with 1, 3 or 52, by its options and by which of its threads met it; what it says tells.
    """
    said = "\n".join(output.splitlines()[-LAST_LINES:])
    if OUT_OF_MEMORY.search(output):
        return f"Spark ran out of memory ({code}); {MEMORY}\n{said}"
    return f"{REASONS.get(code, f'exit code {code}')}\n{said}"
