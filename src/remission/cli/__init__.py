"""The command line: parse, call, present; nothing is computed here.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 130 interrupted.
"""

import gc
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; never shows a traceback for an input or a disk that is wrong."""
    # Our matrices are small: threads of the linear algebra library only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Importing and drawing make many objects and almost no cycles: searching for those at every 700th object takes a
    # tenth of a first trial.
    gc.set_threshold(100_000, 20, 20)
    from remission.cli.app import run_app

    code = run_app(sys.argv[1:])
    # The process ends here, and its memory with it: a last search for cycles would take a third of a second.
    gc.freeze()
    sys.exit(code)
