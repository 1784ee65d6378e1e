"""Plan files: YAML in, a plan or every fault with its line out; and the JSON schema of such a file."""

import json
from pathlib import Path

from remission.records.record_file import record_of
from remission.records.study_plan import StudyPlan
from remission.records.yaml_tree import read_tree, read_tree_file


def read_study_plan(path: Path) -> StudyPlan:
    """The plan in a file.

    Raises SpecError: the file cannot be read or is no valid plan; every fault has file, line and field.
    """
    return record_of(StudyPlan, read_tree_file(path, what="a plan of an analysis", example="id: my-trial"))


def parse_study_plan(text: str, *, name: str) -> StudyPlan:
    """The plan in a YAML text; ``name`` stands in messages. Raises SpecError as :func:`read_study_plan`."""
    return record_of(StudyPlan, read_tree(text, name=name))


def study_plan_schema_text() -> str:
    """The JSON schema (draft 2020-12) of a plan file; what holds between fields is checked by the reader only."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:remission:analysis-plan:1",
        **StudyPlan.model_json_schema(by_alias=True, mode="validation"),
        "title": "Plan of an analysis with remission",
    }
    return json.dumps(schema, indent=2, ensure_ascii=True) + "\n"
