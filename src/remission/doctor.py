"""Whether an installation works: what it is made of, where it can write, and whether it computes what is known.

Nothing private is said: folders below the home folder begin with ``~``, neither the user nor the machine is named.
"""

import base64
import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path

import numpy as np

from remission.errors import RemissionError
from remission.extras import EXTRAS, has_extra
from remission.files import check_folder
from remission.numerics.cores import available_cores
from remission.provenance import blas_kernel, installed_version, package_version, python_version
from remission.records.packaged import packaged_toml

_PYTHONS = ((3, 11), (3, 13))
_LITTLE_BYTES, _TOO_LITTLE_BYTES = 1_000_000_000, 50_000_000


class Verdict(StrEnum):
    """What came of a check: it holds, it is worth a look, it fails."""

    OK = "ok"
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, what was found and expected in words, what to do, and how long it took."""

    name: str
    verdict: Verdict
    found: str
    expected: str = ""
    remedy: str = ""
    elapsed_s: float = 0.0


def examine(folder: Path, *, with_tests: bool = True) -> list[Check]:
    """All checks of this installation, in the order in which a fault of one explains those after it.

    Runs would be written to ``folder``. The known answers take some seconds, a minute where nothing is compiled yet.
    """
    looks = [_python, _libraries, _files_of_the_package, _extras, _processor, _cache, _temporary]
    checks = [_timed(look) for look in looks] + [_timed(lambda: _write(folder)), _timed(lambda: _disk(folder))]
    if with_tests:
        checks += [_timed(test) for test in (_random_numbers, _concentration, _trial)]
    return checks


def _timed(look: Callable[[], Check]) -> Check:
    """The check with its time; an error of any kind is a failed check, for the others must still be heard."""
    begun = time.monotonic()
    try:
        check = look()
    except Exception as error:  # noqa: BLE001 - a broken installation may raise anything
        words = str(error) if isinstance(error, RemissionError) else f"{type(error).__name__}: {error}"
        name = getattr(look, "__name__", "check").strip("_").replace("_", " ")
        remedy = "Install remission anew; if it stays so, report it with these lines."
        check = Check(name, Verdict.FAIL, _without_home(words), "an answer", remedy)
    return replace(check, elapsed_s=round(time.monotonic() - begun, 3))


def _without_home(text: str) -> str:
    """The text with ``~`` for the home folder."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return text
    return text.replace(home, "~") if len(home) > 1 else text


# ------------------------------------------------------------------------------------------------------- what is there


def _python() -> Check:
    tried = " to ".join(".".join(map(str, one)) for one in _PYTHONS)
    found = f"remission {package_version()} on {platform.python_implementation()} {python_version()}"
    found = f"{found}, {platform.platform()}"
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        return Check("python", Verdict.OK, found, f"Python {tried}")
    return Check("python", Verdict.NOTE, found, f"Python {tried}", f"Make a new environment with Python {tried}.")


def _libraries() -> Check:
    found, missing = [], []
    for line in metadata.requires("remission") or []:
        if "extra ==" in line:
            continue
        name, _, low = re.split(r"[\s;]", line)[0].partition(">=")
        version = installed_version(name)
        found.append(f"{name} {version}")
        if version == "not installed" or _numbers(version) < _numbers(low):
            missing.append(f"{name} {version}, at least {low}")
    expected = "every library of the core, not older than its bound"
    if not missing:
        return Check("libraries", Verdict.OK, ", ".join(found), expected)
    remedy = "Install remission anew, in an environment of its own."
    return Check("libraries", Verdict.FAIL, "; ".join(missing), expected, remedy)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _files_of_the_package() -> Check:
    """Files of an installed wheel against the hashes that were installed with them."""
    listed = [entry for entry in metadata.files("remission") or () if entry.hash is not None]
    own = [entry for entry in listed if entry.parts[0] == "remission"]
    if not own:
        return Check("files", Verdict.OK, "read from a source folder, which has no list of hashes")
    damaged = [str(entry) for entry in own if not _is_same(entry)]
    expected = "every file as it was installed"
    if not damaged:
        return Check("files", Verdict.OK, f"{len(own)} files, as they were installed", expected)
    found = f"{len(damaged)} of {len(own)} changed or missing: {', '.join(damaged[:5])}"
    return Check("files", Verdict.FAIL, found, expected, "Install remission anew.")


def _is_same(entry: metadata.PackagePath) -> bool:
    assert entry.hash is not None, "only entries with a hash are kept"
    try:
        digest = hashlib.new(entry.hash.mode, Path(str(entry.locate())).read_bytes()).digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == entry.hash.value


def _extras() -> Check:
    words = [f"{extra} {'yes' if has_extra(extra) else 'no'}" for extra in EXTRAS]
    missing = [extra for extra in EXTRAS if not has_extra(extra)]
    remedy = f"Add one with: pip install 'remission[{missing[0]}]'" if missing else ""
    return Check("extras", Verdict.OK, ", ".join(words), "those that you use", remedy)


def _processor() -> Check:
    from remission.numerics.machine_code import compiled_for

    found = (
        f"{platform.machine()}, {available_cores()} of {os.cpu_count()} cores, compiled for {compiled_for()}, "
        f"linear algebra {blas_kernel() or 'unknown'}"
    )
    expected = "x86-64, where the same seed gives the same bytes"
    if platform.machine() in {"x86_64", "AMD64"}:
        return Check("processor", Verdict.OK, found, expected)
    remedy = "Other processors were not tried: last digits may differ."
    return Check("processor", Verdict.NOTE, found, expected, remedy)


def _cache() -> Check:
    """Where compiled code is kept between two starts."""
    from remission.numerics.code_files import places

    place = places()[-1]
    check_folder(place, where="compiled code")
    found = f"{_without_home(str(place.parent))}, {sum(1 for _ in place.rglob('*.nbc'))} functions kept"
    expected = "a folder that lasts and can be written to"
    if not place.is_relative_to(tempfile.gettempdir()):
        return Check("compiled code", Verdict.OK, found, expected)
    remedy = (
        "The usual folder, ~/.cache, cannot be written to: what is compiled may be lost when the machine starts "
        "again. Set XDG_CACHE_HOME to a folder that can."
    )
    return Check("compiled code", Verdict.NOTE, found, expected, remedy)


def _temporary() -> Check:
    with tempfile.TemporaryDirectory() as place:
        check_folder(Path(place), where="temporary files")
    return Check("temporary files", Verdict.OK, "can be written", "a folder to write to")


def _write(folder: Path) -> Check:
    """Whether a run could stand in the folder, or in the one where the folder would be made."""
    try:
        check_folder(_nearest(folder), where="folder of runs")
    except RemissionError as error:
        expected, remedy = "a folder that can be written to", "Go to a folder of your own, or name one with --out."
        return Check("folder of runs", Verdict.FAIL, _without_home(str(error.got)), expected, remedy)
    return Check("folder of runs", Verdict.OK, "can be written", "a folder to write to")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(_nearest(folder)).free
    found, expected = f"{free / 1e9:,.1f} GB free", "1 GB, more for long runs"
    if free >= _LITTLE_BYTES:
        return Check("disk", Verdict.OK, found, expected)
    verdict = Verdict.FAIL if free < _TOO_LITTLE_BYTES else Verdict.NOTE
    return Check("disk", verdict, found, expected, "Free space, or name another folder with --out.")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return place


# ------------------------------------------------------------------------------------------------- what it must compute


def _random_numbers() -> Check:
    """The generator's first known answer, printed with its reference implementation (Random123, kat_vectors)."""
    from remission.streams import People, draw_words

    zero = np.zeros(1, dtype=np.uint64)
    # No stream has the number 0, at which the answer was printed.
    words = draw_words(People(seed=0, replicate=zero, subject=zero), 0, 0)  # type: ignore[arg-type]  # no member
    found = " ".join(f"{int(word[0]):08x}" for word in words)
    wanted = "6627e8d5 e169c58d bc57ac4c 9b00dbd8"
    return _answer("random numbers", found, wanted, is_same=found == wanted)


def _concentration() -> Check:
    """A long infusion reaches, for each species of a linear model, its rate over its clearance."""
    from remission.dosing.infusions import infusions_per_weight
    from remission.pk import individual_parameters, load_pk_model, simulate_concentrations

    weight_kg = np.array([70.0])
    people = individual_parameters(load_pk_model(), weight_kg=weight_kg, z_iiv=np.zeros((1, 8)))
    week_h = 168.0
    events = infusions_per_weight([0.1 * week_h], start_h=[0.0], duration_h=[week_h], weight_kg=weight_kg)
    curve = simulate_concentrations(people, events, t_h=np.array([week_h]))
    found = float(curve.select("ket", site="arterial")[0, 0])
    # 7 mg/h of the racemate: half of it for each species, in ug.
    wanted = float(np.sum(3500.0 / people.cl_l_per_h[:, 0]))
    is_same = abs(found - wanted) <= 1e-5 * wanted
    return _answer("concentration", f"{found:.3f} ng/mL", f"{wanted:.3f} ng/mL", is_same=is_same)


def small_trial() -> dict[str, str]:
    """What the self-test computes of two replicates of KARE: days of use, their hash, and the mean of an arm.

    The stored answer is ``library/self_test.toml``; ``make golden`` writes it again.
    """
    from remission.library.protocols import load_protocol
    from remission.patient.parameters import load_course_parameters
    from remission.patient.pharmacology import load_pharmacology
    from remission.trial.batch import simulate_batch
    from remission.trial.simulate import simulate_trial

    protocol = load_protocol("kare")
    batch = simulate_batch(
        protocol, seed=1, first_replicate=0, n_replicates=2, parameters=load_course_parameters(protocol.substance),
        pharmacology=load_pharmacology(),
    )  # fmt: skip
    use = np.ascontiguousarray(batch.course.use, dtype=np.uint8)
    result = simulate_trial(protocol, n_replicates=2, seed=1)
    return {
        "use_days": str(int(use.sum())),
        "use_days_sha256": hashlib.sha256(use.tobytes()).hexdigest()[:16],
        "days_abstinent": f"{float(result.arms['pda'].mean.ravel()[0]):.6f} %",
    }


def _trial() -> Check:
    """A small trial whose days of use are known exactly."""
    wanted = packaged_toml("self_test.toml")
    found = small_trial()
    return _answer(
        "small trial", ", ".join(found.values()), ", ".join(map(str, wanted.values())), is_same=found == wanted
    )


def _answer(name: str, found: str, wanted: str, *, is_same: bool) -> Check:
    if is_same:
        return Check(name, Verdict.OK, found, wanted)
    remedy = "Do not trust results of this installation. Install it anew; if it stays so, report it with these lines."
    return Check(name, Verdict.FAIL, found, wanted, remedy)
