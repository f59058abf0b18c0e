"""How much does a piece of work cost? CPU and wall seconds of a whole process tree, and its peak memory.

CPU is what is compared: it changes less than wall time when the machine is busy with something else. The tree is a
process, the JVM below it and the Python workers below that. What is compared runs in turns (A B A B), so that a slow
minute of the machine meets both.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

__all__ = [
    "HERE", "ROOT", "Cost", "Ended", "alternate", "cost_of", "fresh", "in_turns", "middle",
    "middle_cost", "ratio", "table", "watched",
]  # fmt: skip

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOOKS_PER_SECOND = 10


@dataclass(frozen=True)
class Cost:
    """Seconds: `cpu` of the process tree, `wall` on the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Ended:
    """A process that was watched until it ended.

    Attributes:
        output: what it printed.
        cpu: CPU seconds of its tree as last seen: a little less than all of them.
        wall: seconds from its start to its end.
        peak_mb: the most memory that its tree held, pages that are shared counted once (PSS).
    """

    output: str
    cpu: float
    wall: float
    peak_mb: float


def cost_of(work: Callable[[], object]) -> Cost:
    """What one call costs this process and everything below it."""
    cpu, wall = tree_cpu(), time.perf_counter()
    work()
    return Cost(tree_cpu() - cpu, time.perf_counter() - wall)


def tree_cpu() -> float:
    """CPU seconds of this process and everything below it, also of what has ended there."""
    return sum(_asked(process, lambda each: sum(each.cpu_times()[:4])) for process in _tree(psutil.Process()))


def watched(command: Sequence[str]) -> Ended:
    """Run a command to its end, and look at its process tree several times a second.

    Raises:
        subprocess.CalledProcessError: it failed; its errors are printed.
    """
    seen: dict[int, float] = {}
    peak, began = 0.0, time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = psutil.Popen(command, stdout=output, stderr=errors, cwd=ROOT)
        while process.poll() is None:
            tree = _tree(process)
            seen |= {each.pid: _asked(each, lambda each: sum(each.cpu_times()[:2])) for each in tree}
            peak = max(peak, sum(_asked(each, lambda each: each.memory_full_info().pss) for each in tree) / 1e6)
            time.sleep(1 / LOOKS_PER_SECOND)
        wall = time.perf_counter() - began
        _wait_for(seen)  # a JVM ends a little after its Python, and must not do so at the cost of what runs next
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode:
            print(errors.read(), file=sys.stderr)
            raise subprocess.CalledProcessError(process.returncode, command)
        return Ended(output.read(), sum(seen.values()), wall, peak)


def _wait_for(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            while process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(1 / LOOKS_PER_SECOND)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _asked(process: psutil.Process, question: Callable[[psutil.Process], float]) -> float:
    try:
        return question(process)
    except psutil.Error:  # it has just ended
        return 0.0


def fresh(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder in a process of its own.

    Returns:
        the JSON object that is the last line of its output, with `peak_mb` of its process tree.
    """
    ended = watched([sys.executable, str(HERE / script), *map(str, arguments)])
    return {**json.loads(ended.output.splitlines()[-1]), "peak_mb": ended.peak_mb}


# ------------------------------------------------------------------------------------------------------ in turns


def alternate(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Cost]]:
    """Run all of the works in turns, `rounds` times each, after one round that warms up and is not counted."""
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            cost = cost_of(work)
            if turn:
                costs[name].append(cost)
    return costs


def in_turns(scripts: Mapping[str, Sequence[object]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Run scripts (name: script and arguments) in turns, `rounds` times each, always in fresh processes."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in scripts}
    for turn in range(rounds):
        for name, (script, *arguments) in scripts.items():
            result = fresh(str(script), *arguments)
            found[name].append(result)
            told = ", ".join(f"{key} {value:.2f}" for key, value in result.items() if isinstance(value, float))
            print(f"  round {turn + 1} of {rounds}: {name}: {told}", file=sys.stderr, flush=True)
    return found


def middle(results: Sequence[Mapping[str, Any]], key: str) -> float:
    """The median of one number over several results."""
    return median(result[key] for result in results)


def middle_cost(costs: Sequence[Cost]) -> Cost:
    """The median CPU and the median wall time."""
    return Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs))


def ratio(costs: Mapping[str, Sequence[Cost]], name: str, over: str) -> float:
    """The median over the rounds of one work's CPU over another's in the same round."""
    return median(mine.cpu / other.cpu for mine, other in zip(costs[name], costs[over], strict=True))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table under its title."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join([f"### {title}\n", *(f"| {' | '.join(line)} |" for line in lines), ""])
