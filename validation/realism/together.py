"""How the statistics of real diaries hang together, as data of the library: ten of them, for one likelihood.

Usage: ``python -m validation.realism.together FOLDER`` with the CTN-0094 tables.
"""

import sys
from pathlib import Path

import numpy as np

from validation.realism.data import FILE
from validation.realism.statistics import diary_statistics
from validation.realism.windows import NAMES, real_window

STATISTICS = (
    "mean", "sd_between", "none", "lag_1", "lag_7", "lag_14", "after_use", "after_clean", "single_use", "use_run_mean",
)  # fmt: skip
TOGETHER = FILE.with_name("ctn0094-together.toml")
_RESAMPLES, _SEED = 400, 20_270_402
_HEAD = f"""# Written by `python -m validation.realism.together`; do not edit. Values and errors are in ctn0094.toml.
version = 1
source = "ctn0094"
grade = "measured"
code = "validation/realism/together.py"
population = "As ctn0094.toml. Correlations over {_RESAMPLES} samples of people drawn with replacement."
statistics = {list(STATISTICS)}
""".replace("'", '"')


def main() -> None:
    """Draw people again and again, and write how the statistics move together."""
    lines = [_HEAD]
    for substance in NAMES:
        use, generator = real_window(Path(sys.argv[1]), substance).use, np.random.default_rng(_SEED)
        drawn = [diary_statistics(use[generator.integers(0, len(use), len(use))]) for _ in range(_RESAMPLES)]
        table = np.corrcoef([[one[name] for one in drawn] for name in STATISTICS])
        rows = ",\n".join("  [" + ", ".join(f"{cell:.3f}" for cell in row) + "]" for row in table)
        lines.append(f"[substance.{substance.value}]\ncorrelation = [\n{rows},\n]\n")
        print(substance.value, flush=True)
    TOGETHER.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
