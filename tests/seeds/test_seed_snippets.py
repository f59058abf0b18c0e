"""Are our copies of the seed's snippets what the seed says? They are the contract, so not a byte may differ."""

import re
from pathlib import Path

import pytest

SEED = Path(__file__).parents[3] / "shared" / "seeds" / "azure_model_monitoring.md"
SNIPPETS = Path(__file__).parent / "snippets"
PYTHON = ("out-of-box", "advanced", "model-performance", "collected-data")
YAML = ("model-performance", "custom-signal")


def test_every_snippet_has_a_copy_and_no_copy_is_of_something_else():
    names = {f"{name}.sdk" for name in PYTHON} | {f"{name}.yaml" for name in YAML}
    assert {path.name for path in SNIPPETS.iterdir()} == names


@pytest.mark.parametrize(("fence", "names", "suffix"), [("python", PYTHON, "sdk"), ("yaml", YAML, "yaml")])
def test_the_copies_are_the_seeds_own_words(fence: str, names: tuple[str, ...], suffix: str):
    if not SEED.exists():
        pytest.skip("the seed lies beside the repository where the project is made, and nowhere else")
    seed = SEED.read_text(encoding="utf-8")
    theirs = re.findall(rf"```{fence} *\n(.*?)```", seed, re.DOTALL | re.IGNORECASE)
    assert theirs == [(SNIPPETS / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names]
