"""The command line: parse, call, present; nothing is computed here.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 130 interrupted.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; never shows a traceback for an input or a disk that is wrong."""
    from remission.cli.app import run_app

    sys.exit(run_app(sys.argv[1:]))
