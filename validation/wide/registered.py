"""Which plan is run, what it is held against, and where what it found is kept."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "validation" / "posterior-wide.md"
RESULTS = ROOT / "validation" / "wide.json"
EARLIER = tuple(ROOT / "validation" / f"wide-{name}.json" for name in ("joint", "shape"))
"""How the fits before this one were judged, as it came out then, the last first."""
LIBRARY = ROOT / "src" / "remission" / "library" / "calibration"
NAME = "posterior-2026-finer"
BEFORE, COUNTS = "posterior-2026", "posterior-2026-counts"
"""What it has to be better than, the second where the library has it; a difference is told from the first."""
