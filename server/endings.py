"""What does it mean that a run's process ended as it did, and what is to be done?"""

from collections.abc import Mapping

from server.guard import NOT_STARTED, SILENCE

__all__ = ["FINE", "HOPELESS", "reason_of"]

FINE = frozenset({0, 10})
"""Exit codes of runs that evaluated what they were asked for; see `jobs.exits`."""
HOPELESS = frozenset({2})
"""Exit codes after which trying again would end in the same way: a definition is wrong."""
LAST_LINES = 20

REASONS: Mapping[int, str] = {
    1: "Spark did not start, or driftline has met a bug",
    2: "a definition is wrong",
    3: "data cannot be read",
    4: "the store cannot be read or written",
    NOT_STARTED: "its command cannot be started",
    SILENCE: "the registry could not be reached, and somebody else might have taken it over: it was ended",
    137: "it was killed (137): most often for using more memory than there is",
    143: "it was terminated (143)",
}


def reason_of(code: int, output: str) -> str:
    """In words, with the end of what the process said."""
    said = "\n".join(output.splitlines()[-LAST_LINES:])
    return f"{REASONS.get(code, f'exit code {code}')}\n{said}"
