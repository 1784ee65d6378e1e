"""What a run is called and what its manifest says of it."""

import hashlib
import json
import re
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

from remission.errors import ProvenanceError, RunError
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import MODEL_FORM, CourseParameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.provenance import library_versions, package_version, source_hashes, today
from remission.runs.folder import read_run
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan

__all__ = ["check_place", "describe_run", "run_name"]


UNFINISHED = ".unfinished"
"""What the name of a run under way ends with."""


def run_name(root: Path, plan: TrialPlan) -> str:
    """The name of a run's folder: protocol, day of its first start (UTC), eight digits that stand for its content.

    The very run that is already in ``root``, finished or under way, keeps its name, so that the same command finds it
    on any day.
    """
    own, digits = plan.protocol.id, content_digits(plan)
    there = [path.name for path in root.glob(f"{own}-*-{digits}*") if has_name_of(plan, path.name)]
    # A finished run stands before one under way, and of two the older one.
    there.sort(key=lambda name: (name.endswith(UNFINISHED), name))
    return there[0].removesuffix(UNFINISHED) if there else f"{own}-{today()}-{digits}"


def has_name_of(plan: TrialPlan, name: str) -> bool:
    """Whether a folder is named as a plan's run, finished or under way; the seed once stood in place of the day."""
    middle = rf"(\d{{4}}-\d\d-\d\d|{plan.seed})"
    pattern = rf"{re.escape(plan.protocol.id)}-{middle}-{content_digits(plan)}({re.escape(UNFINISHED)})?"
    return re.fullmatch(pattern, name) is not None


def content_digits(plan: TrialPlan) -> str:
    """Eight digits that stand for everything that sets a run's content; who did the work, in which pieces, does not."""
    content = [plan.protocol.content_hash, _given(plan.parameters), plan.n_replicates, plan.seed, package_version()]
    if plan.drawing is not None:
        content.append(asdict(plan.drawing))
    if plan.with_diaries:
        content.append("diaries")
    if plan.links:
        content.append(dict(plan.links))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _given(parameters: CourseParameters) -> dict[str, float]:
    """Every number but those of a mechanism that came later and is off: earlier runs keep their names."""
    values = asdict(parameters)
    later = {field.name: field.default for field in fields(parameters) if field.default is not MISSING}
    return {name: value for name, value in values.items() if name not in later or value != later[name]}


def describe_pk_model(protocol: Protocol) -> dict[str, str]:
    """The kinetic model behind every exposure: its name, what it is made of, and the hash of its numbers.

    Of a model that the protocol carries, its file and the hash of its text as well.
    """
    model, own = pharmacology_of(protocol).pk, protocol.pk_model
    file = {} if own is None else {
        "file": own.file, "file_sha256": own.sha256, "caution": model.parameter_set.attribute("caution"),
    }  # fmt: skip
    return {
        "name": model.name,
        "disposition": model.parameter_set.id,
        "links": model.links.id,
        "numbers_sha256": model.numbers_sha256,
        **file,
    }


def check_place(root: Path, plan: TrialPlan) -> None:
    """Refuse a place that is taken by something else than this very run, before any work is done.

    Raises ``RunError``: the folder is no finished run, is damaged, or was made by other versions or other code.
    """
    target = root / run_name(root, plan)
    if not target.exists():
        return
    try:
        stored = read_run(target).manifest
    except (ProvenanceError, RunError) as error:
        raise RunError(
            where=str(target),
            got=f"a folder that cannot be read as this run ({error.got})",
            allowed="no folder of that name, or an identical run",
            remedy="Nothing was computed or overwritten. Move it away or choose another --out.",
        ) from None
    ours: dict[str, Any] = {"versions": library_versions(), "source_sha256": source_hashes()}
    # Runs of older versions named Python among the versions; it moves no byte.
    theirs = {name: dict(stored.get(name) or {}) for name in ours}
    theirs["versions"].pop("python", None)
    away = [
        f"{key} {theirs[name].get(key, 'not named')}, here {value}"
        for name, values in ours.items()
        for key, value in values.items()
        if theirs[name].get(key) != value
    ]
    if away:
        raise RunError(
            where=str(target),
            got=f"the same run made by something else: {'; '.join(away)}",
            allowed="no folder of that name, or a run by these versions and this code",
            remedy="Nothing was computed or overwritten. Move it away or choose another --out.",
        )


def describe_run(result: TrialResult, command: str, *, with_diaries: bool = False) -> dict[str, Any]:
    """What made the run: equal for equal runs. The protocol in full is ``protocol.yaml`` beside it."""
    used = asdict(result.parameters)
    usual = asdict(course_parameters_of(result.protocol, parameter_set=result.parameter_set))
    return {
        "protocol": result.protocol.id,
        "protocol_sha256": result.protocol.content_hash,
        "model_form": MODEL_FORM,
        "parameter_set": result.parameter_set,
        "parameter_set_sha256": result.parameter_set_hash,
        "pk_model": describe_pk_model(result.protocol),
        "parameters": used,
        "changed_parameters": {
            name: {"used": value, "in_the_set": usual[name]} for name, value in used.items() if value != usual[name]
        },
        "drawing": None if result.drawing is None else asdict(result.drawing),
        "seed": result.seed,
        "n_replicates": result.n_replicates,
        # A name is here only when the caller's own function took the place of ours.
        **({"replaced_links": dict(result.links)} if result.links else {}),
        "command": command,
        "with_diaries": with_diaries,
        "versions": library_versions(),
        "source_sha256": source_hashes(),
    }
