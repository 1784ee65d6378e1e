"""How the documents are built: Markdown (MyST), the reference from docstrings, nothing fetched from elsewhere."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, get_origin

# autodoc imports with TYPE_CHECKING set, under which the models of fastapi cannot be made; once made they stay.
import fastapi  # noqa: F401
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from remission import __version__

HERE = Path(__file__).parent

project = "remission"
author = "The remission authors"
copyright = "2026, The remission authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
# Fields such as `low` exist in several records; a link to any of them would be a guess.
suppress_warnings = ["ref.python"]

myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "fieldlist"]

napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_preprocess_types = False
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_default_options = {"exclude-members": "model_config"}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

html_theme = "alabaster"
html_theme_options = {
    "description": "From milligrams of ketamine to days without use, simulated",
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
    "page_width": "1080px",
    "sidebar_width": "240px",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html", "relations.html"]}
html_copy_source = False
html_show_sourcelink = False

# One page for each folder of the package, in the order in which a dose becomes a day.
CHAIN = ("dosing", "pk", "receptor", "plasticity", "circuit", "use", "patient", "trial")


def write_reference(app: Sphinx) -> None:
    """One reference page for each folder of the package, generated from its docstrings."""
    del app
    spec = find_spec("remission")
    if spec is None or spec.origin is None:
        msg = "remission is not installed: make install"
        raise ExtensionError(msg)
    root = Path(spec.origin).parent
    target = HERE / "reference" / "api"
    target.mkdir(parents=True, exist_ok=True)
    pages = {entry.stem: _modules(root, entry) for entry in root.iterdir() if _is_page(entry)}
    order = [*(name for name in CHAIN if name in pages), *sorted(set(pages) - set(CHAIN))]
    for name in order:
        _write_if_changed(target / f"{name}.rst", _page(name, pages[name]))
    index = [
        "API",
        "===",
        "",
        "Generated from the docstrings of the package.",
        "",
        ".. toctree::",
        "   :maxdepth: 1",
        "",
    ]
    _write_if_changed(target / "index.rst", "\n".join([*index, *(f"   {name}" for name in order), ""]))
    for stale in target.glob("*.rst"):
        if stale.stem not in {*order, "index"}:
            stale.unlink()


def _is_page(entry: Path) -> bool:
    is_module = entry.suffix == ".py" or (entry / "__init__.py").exists()
    return is_module and not entry.stem.startswith("_")


def _modules(root: Path, entry: Path) -> list[str]:
    files = [entry] if entry.is_file() else sorted(entry.rglob("*.py"))
    names = []
    for file in files:
        parts = file.relative_to(root.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def _page(name: str, modules: list[str]) -> str:
    title = f"remission.{name}"
    lines = [title, "=" * len(title), ""]
    for module in modules:
        is_package = any(other.startswith(f"{module}.") for other in modules)
        if module != title:
            lines += [module, "-" * len(module), ""]
        # A package only repeats names of its modules.
        lines += [f".. automodule:: {module}", *([] if is_package else ["   :members:", "   :undoc-members:"]), ""]
    return "\n".join(lines)


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def skip_annotated_types(app: Sphinx, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Leave out number types such as ``DoseMgPerKg``: their patterns would be read as markup; the schema has them."""
    del app, what, name, options
    return True if get_origin(obj) is Annotated else skip or None


REMOTE = re.compile(
    r"""<(?:script|img|iframe|link|source)\b[^>]*?\b(?:src|href)=["'](?:https?:)?//[^"']+|@import\s+["']?(?:url\()?https?:"""
    r"""|url\(["']?(?:https?:)?//[^)]+"""
)


def refuse_remote_assets(app: Sphinx, exception: Exception | None) -> None:
    """Stop the build when a page would fetch anything from another machine: the documents are read offline too."""
    if exception is not None or app.builder.format != "html":
        return
    found = []
    for path in sorted(Path(app.outdir).rglob("*")):
        if path.suffix in {".html", ".css"}:
            matches = REMOTE.findall(path.read_text("utf-8"))
            found += [f"{path.relative_to(app.outdir)}: {match}" for match in matches]
    if found:
        msg = "these pages ask for something remote:\n" + "\n".join(found)
        raise ExtensionError(msg)


def setup(app: Sphinx) -> None:
    """Hook the three steps above into the build."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-skip-member", skip_annotated_types)
    app.connect("build-finished", refuse_remote_assets)
