"""Count the divisions in the machine code of the course kernel: packed ones handle several people, scalar ones one.

Run as a program, with ``python`` as argument for a kernel whose divisions may raise, as Python's do.
"""

import re
import sys
import types
from importlib.util import find_spec
from pathlib import Path


def _lanes_with(error_model: str) -> None:
    """Put the module of compiled functions in place with another error model."""
    spec = find_spec("remission.numerics.lanes")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    changed = source.replace('"error_model": "numpy"', f'"error_model": "{error_model}"')
    module = types.ModuleType("remission.numerics.lanes")
    module.__file__ = spec.origin
    sys.modules["remission.numerics.lanes"] = module
    exec(compile(changed, spec.origin, "exec"), module.__dict__)


def main(error_model: str) -> None:
    """Compile, run one block, count."""
    if error_model != "numpy":
        _lanes_with(error_model)
    from remission.patient.kernels import fast

    sys.path.insert(0, str(Path(__file__).parents[2]))
    from validation.small_trials import course_schedule

    from remission.patient.course import Entry
    from remission.patient.parameters import load_course_parameters
    from remission.patient.sampling import sample_traits
    from remission.records.substance import Substance
    from remission.streams import People

    parameters = load_course_parameters(Substance("alcohol"))
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=fast.BLOCK)
    traits = sample_traits(people, parameters, entry=Entry())
    fast.simulate_course(people, traits, course_schedule(fast.BLOCK, 3), parameters)
    code = "\n".join(fast._blocks.dispatcher.inspect_asm().values())
    packed, scalar = (len(re.findall(rf"\bv?div{kind}\b", code)) for kind in ("pd", "sd"))
    sys.stdout.write(f"{packed} {scalar}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "numpy")
