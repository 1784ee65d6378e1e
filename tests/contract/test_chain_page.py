"""The page that explains the chain names every folder of the package."""

from source_tree import PACKAGE, ROOT


def test_every_folder_is_named_on_the_page_of_the_chain() -> None:
    """The folder tree is the table of contents of the model: a folder nobody explains is a hole in it."""
    page = (ROOT / "docs" / "explanation" / "chain.md").read_text("utf-8")
    entries = {entry.stem for entry in PACKAGE.iterdir() if not entry.name.startswith(("_", "py.typed"))}
    assert [name for name in sorted(entries) if f"`{name}`" not in page] == []
