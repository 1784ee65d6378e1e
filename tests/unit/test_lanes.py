"""Where compiled code is kept, and for which processor."""

from pathlib import Path

import pytest

from remission.numerics import lanes


def test_compiled_code_belongs_to_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is named by the content of the sources, in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = lanes._cache_folder()
    assert first.startswith(str(tmp_path))
    assert lanes._cache_folder() == first


def test_an_unusable_cache_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only home must not stop the program: another folder is used."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not lanes._cache_folder().startswith(str(tmp_path))


def test_vectors_keep_their_full_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-width vectors halve the speed without any other sign; other processors have no such setting."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    features = lanes._wide_features()
    assert features is not None
    assert features.endswith("-prefer-256-bit")
    assert "+prefer-256-bit" not in features
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert lanes._wide_features() is None
