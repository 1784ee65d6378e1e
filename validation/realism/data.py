"""The statistics of real diaries as data of the library, for calibration."""

from pathlib import Path

from remission.records.substance import Substance
from validation.realism.statistics import DEFINITIONS
from validation.realism.windows import BASELINE_DAYS, FIRST_DAY, N_DAYS, NAMES, real_window

__all__ = ["write_statistics"]

FILE = Path(__file__).resolve().parents[2] / "src" / "remission" / "library" / "diaries" / "ctn0094.toml"
_HEAD = f'''# Written by `python -m validation.realism`; do not edit.
version = 1
source = "ctn0094"
grade = "measured"
code = "validation/realism/statistics.py"
first_day = {FIRST_DAY}
n_days = {N_DAYS}
population = """People in treatment for opioid use disorder with use of the substance in the {BASELINE_DAYS} days \\
before day 0 and all days of the window assessed. Standard errors and 95% limits: people drawn again 1,000 times."""
'''


def write_statistics(folder: Path, known: dict[Substance, dict[str, tuple[float, float, float, float]]]) -> None:
    """Write the file of the library."""
    lines = [_HEAD, "[definitions]", *(f'{name} = "{text}"' for name, text in DEFINITIONS.items())]
    for substance, statistics in known.items():
        window = real_window(folder, substance)
        lines += ["", f"[substance.{substance.value}]", f'name_in_source = "{NAMES[substance]}"']
        lines += [f"n_people = {len(window.use)}", f"n_with_use_before = {window.n_with_use_before}"]
        for name, (value, error, low, high) in statistics.items():
            cells = f"value = {value:.5g}, standard_error = {error:.3g}, low = {low:.5g}, high = {high:.5g}"
            lines.append(f"{name} = {{ {cells} }}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(lines) + "\n", "utf-8")
