"""Files are written by ``remission.files`` and in no other way: beside, synced, renamed, removed on failure."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "remission"
WRITES = {
    "write_text", "write_bytes", "touch", "rename", "replace", "symlink_to", "hardlink_to", "mkdir", "rmdir", "unlink",
    "savefig", "to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "write_table", "ParquetWriter", "write_csv",
    "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp", "copyfile", "copy2", "copytree",
    "rmtree", "makedirs", "savez", "savetxt", "save", "dump", "writestr",
}  # fmt: skip
OF_FILES = {"write_text", "write_bytes", "copy_file", "make_folder", "remove_folder", "move"}
"""Names of ``remission.files`` themselves, called as plain functions."""
STREAMS = {"file", "stream", "vector", "pixels", "binary", "text", "writer", "sink", "out", "sys"}
ALLOWED = {
    # Folders in the user's cache: nothing a user asked for.
    ("kept.py", "mkdir"),
    ("kept.py", "mkdtemp"),
    ("numerics/code_files.py", "mkdir"),
    # Asks whether a temporary folder can be made, and leaves nothing.
    ("doctor.py", "TemporaryDirectory"),
    # Grows line by line while a design runs, in its hidden or unfinished folder; a line that was cut off is not read.
    ("runs/journal.py", "open"),
    # A lock, with nothing in it.
    ("web/bench/foreman.py", "open"),
    # The same, by one job of an array, in the folder of a run under way.
    ("runs/shares.py", "open"),
    # Columns of a table get other names.
    ("exchange/redcap.py", "rename"),
}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def mode_of(node: ast.Call, position: int) -> str | None:
    arguments = [*node.args[position : position + 1], *(k.value for k in node.keywords if k.arg == "mode")]
    return next((one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str)), None)


def owner_of(node: ast.Call) -> str:
    return str(getattr(getattr(node.func, "value", None), "id", ""))


def is_stream(node: ast.Call) -> bool:
    """Whether a library is given a stream of ours, or the method belongs to a record or a writer."""
    given = [getattr(one, "id", "") for one in node.args]
    return bool(STREAMS & set(given))


def writing(path: Path) -> list[str]:
    """Calls of a module that write by themselves."""
    name_of = path.relative_to(SOURCE).as_posix()
    found = []
    for name, node in calls(path):
        line = f"{name_of}:{node.lineno} {name}"
        is_method = isinstance(node.func, ast.Attribute)
        if name == "open":
            mode = mode_of(node, 0 if is_method else 1)
            if mode is not None and set(mode) & set("wax+") and (name_of, name) not in ALLOWED:
                found.append(line)
        elif name in WRITES and (name_of, name) not in ALLOWED:
            if name in OF_FILES and not is_method:
                continue
            if name == "write_table" and owner_of(node) in {"out", "writer"}:
                continue  # a writer that was given a stream
            owner = owner_of(node)
            if name in {"replace", "save", "dump", "move"} and owner not in {"os", "shutil", "np", "json", "pickle"}:
                continue  # a method of text, records and stores
            if name in {"to_csv", "to_json"} and not node.args:
                continue  # gives a text
            if not is_stream(node):
                found.append(line)
    return found


def test_no_module_writes_by_itself() -> None:
    """One open(..., "w") is enough for half a file under a final name when the disk is full."""
    modules = [path for path in SOURCE.rglob("*.py") if path.name != "files.py"]
    assert len(modules) > 300
    assert [line for path in modules for line in writing(path)] == []


@pytest.mark.parametrize(
    "code",
    [
        "path.open('w')", "open(path, 'wb')", "path.write_text('a')", "figure.savefig(path)", "table.to_csv(path)",
        "pq.write_table(table, path)", "path.mkdir()", "shutil.copyfile(a, b)", "json.dump(a, b)", "os.replace(a, b)",
        "tempfile.mkdtemp()", "path.touch()", "open(path, mode='x')",
    ],
)  # fmt: skip
def test_the_check_sees_each_way(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that sees nothing passes for ever."""
    monkeypatch.setattr(f"{__name__}.SOURCE", tmp_path)
    module = tmp_path / "module.py"
    module.write_text(f"{code}\n", encoding="utf-8")
    assert len(writing(module)) == 1
