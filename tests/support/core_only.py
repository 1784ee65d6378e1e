"""Started by ``python -I -S core_only.py WHEEL LIBRARIES CHECKOUT ...``: the core installed, without the checkout.

The wheel's files come first on the path, other libraries from this environment; extras are hidden, and opening a file
of the checkout is refused.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

WHEEL, LIBRARIES, CHECKOUT, *WORDS = sys.argv[1:]
EXTRAS = {
    "distributed", "fastapi", "matplotlib", "openpyxl", "pandas", "pyreadstat", "python_multipart", "starlette",
    "statsmodels", "uvicorn",
}  # fmt: skip


class WithoutExtras(PathFinder):
    """Finds what Python finds, except the extras."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] in EXTRAS:
            return None
        return super().find_spec(name, path, target)  # type: ignore[arg-type]


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event not in {"open", "os.listdir", "os.scandir"} or not isinstance(arguments[0], str):
        return
    path = Path(arguments[0]).absolute()
    if path.is_relative_to(CHECKOUT) and not path.is_relative_to(LIBRARIES):
        raise PermissionError(f"{event} of the checkout: {path}")


sys.path += [WHEEL, LIBRARIES]
sys.meta_path = [WithoutExtras if finder is PathFinder else finder for finder in sys.meta_path]
sys.addaudithook(refuse)
sys.argv = ["remission", *WORDS]

if __name__ == "__main__":
    if WORDS[:1] == ["-c"]:
        exec(WORDS[1])
    else:
        from remission.cli import main

        main()
