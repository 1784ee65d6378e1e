"""What a run is called and what its manifest says of it."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from remission.patient.parameters import CourseParameters
from remission.provenance import library_versions, package_version
from remission.records.protocol import Protocol
from remission.trial.result import TrialResult

__all__ = ["describe_run", "run_name"]


def run_name(protocol: Protocol, parameters: CourseParameters, n_replicates: int, seed: int) -> str:
    """The folder's name: protocol, seed, and eight digits that stand for everything that sets the numbers."""
    content = [protocol.content_hash, asdict(parameters), n_replicates, seed, package_version()]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{protocol.id}-{seed}-{digest[:8]}"


def describe_run(result: TrialResult, command: str) -> dict[str, Any]:
    """What made the run: equal for equal runs."""
    return {
        "protocol": result.protocol.id,
        "protocol_sha256": result.protocol.content_hash,
        "parameter_set": result.parameter_set,
        "parameter_set_sha256": result.parameter_set_hash,
        "parameters": asdict(result.parameters),
        "seed": result.seed,
        "n_replicates": result.n_replicates,
        "command": command,
        "versions": library_versions(),
    }
