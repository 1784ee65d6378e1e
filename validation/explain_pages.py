"""Why each published trial comes out as it does, kept for the pages: ``python -m validation.explain_pages``.

``make explanations``. The first analysis that the pages of a trial can explain: of the protocol's own, in their order.
"""

import json
import sys
from pathlib import Path

from remission.errors import SpecError, WorkError
from remission.files import write_text
from remission.foresight.explain import explained
from remission.library.explanations import Explained, study_shapes
from remission.library.protocols import list_published, load_protocol
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew, crew_of

PLACE = Path(__file__).resolve().parent.parent / "src" / "remission" / "library" / "explanations.json"
N_DRAWS, N_PEOPLE = 100, 100
LONG = {"esketamine-lung-cancer"}
"""Minutes of kinetics in every draw, for a trial with one treated arm's number: explained on request only."""


def main() -> None:
    """Explain the published trials of ketamine, or those that are named; the others stay as they are in the file."""
    names = sys.argv[1:] or [name for name in list_published() if name not in LONG]
    kept = {row["protocol"]: row for row in json.loads(PLACE.read_text("utf-8"))} if sys.argv[1:] else {}
    with crew_of(None) as crew:
        for name in names:
            one = of_trial(name, crew)
            if one is not None:
                kept[name] = one.model_dump(mode="json")
                text = json.dumps([kept[key] for key in sorted(kept)], ensure_ascii=False, separators=(",", ":"))
                write_text(PLACE, text + "\n", replace=True)
    print(PLACE)


def of_trial(name: str, crew: Crew) -> Explained | None:
    """The explanation of the first analysis that has one; none where no analysis has."""
    protocol = load_protocol(name)
    if not any(course.is_ketamine for course in protocol.drugs.values()):
        return None
    for analysis in protocol.analyses:
        try:
            found = explained(
                protocol, analysis=analysis.id, n_draws=N_DRAWS, n_people=N_PEOPLE, shapes=study_shapes(), crew=crew,
                seed=DEFAULT_SEED,
            )  # fmt: skip
        except (SpecError, WorkError) as problem:
            print(f"{name}, {analysis.id}: {problem}", file=sys.stderr)
            continue
        print(f"{name}: {found.says[0]}", flush=True)
        return found
    return None


if __name__ == "__main__":
    main()
