"""The numbers of a trial as Parquet tables and one JSON summary; the same result gives the same bytes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from remission.analyses.estimate import Status
from remission.files import new_bytes, write_text
from remission.patient.standing import is_tuned, standing_of_protocol
from remission.protocol.file import write_protocol
from remission.records.result import plain
from remission.trial.result import TrialResult
from remission.trial.summary import SummaryRow, TrialSummary, summarize_trial


def write_tables(result: TrialResult, folder: Path) -> None:
    """Write ``protocol.yaml``, ``estimates.parquet``, ``arms.parquet``, ``course.parquet`` and ``summary.json``.

    Raises ``OSError``: a file cannot be written.
    """
    write_text(folder / "protocol.yaml", write_protocol(result.protocol))
    _write(folder / "estimates.parquet", _estimates(result), "one row per replicate and analysis")
    _write(folder / "arms.parquet", _arms(result), "one row per replicate, arm and endpoint")
    _write(folder / "course.parquet", _course(result), "one row per arm and day; states: mean, p10 and p90 of people")
    text = json.dumps(summary_data(result, summarize_trial(result)), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(folder / "summary.json", text + "\n")


def summary_data(result: TrialResult, summary: TrialSummary) -> dict[str, Any]:
    """The table of the trial as plain data; numbers that do not exist are null."""
    return {
        "protocol": result.protocol.id,
        "title": result.protocol.title,
        "substance": result.protocol.substance.value,
        "n_replicates": result.n_replicates,
        "n_subjects": result.protocol.population.n_subjects,
        "seed": result.seed,
        "parameter_set": result.parameter_set,
        "posterior": None if result.drawing is None else result.drawing.posterior,
        "standing": standing_of_protocol(result.protocol, result.parameter_set).to_dict(),
        "rows": [_row_data(row, result.parameter_set) for row in summary.rows],
    }


def _row_data(row: SummaryRow, parameter_set: str) -> dict[str, Any]:
    published = row.published
    return {
        "kind": row.kind,
        "id": row.id,
        "label": row.label,
        "arm": row.arm,
        "statistic": row.statistic,
        "unit": row.unit,
        "simulated": {
            "mean": plain(row.simulated_mean),
            "low": plain(row.simulated_low),
            "high": plain(row.simulated_high),
            "interval": "2.5th to 97.5th percentile of replicates",
            **({} if row.sampling is None else {"intervals_95": _intervals(row)}),
            "mcse": plain(row.mcse),
            "n_failed": row.n_failed,
        },
        "published": None
        if published is None
        else {
            "value": published.value,
            "ci_low": published.ci_low,
            "ci_high": published.ci_high,
            "statistic": published.statistic,
            "source_kind": published.source_kind,
            "tuned_on": is_tuned(record=published.trial_id, endpoint=published.endpoint, parameter_set=parameter_set),
            "doi": published.doi,
        },
        "simulated_mean_inside_published_interval": row.inside_interval,
        **_verdict_data(row),
    }


def _intervals(row: SummaryRow) -> dict[str, Any]:
    """The three of a run whose replicates draw their values; the last is the one above."""
    parts = {
        "sampling": row.sampling,
        "parameters": row.parameters,
        "new_trial": (row.simulated_low, row.simulated_high),
    }
    return {name: None if pair is None else [plain(end) for end in pair] for name, pair in parts.items()}


def _verdict_data(row: SummaryRow) -> dict[str, Any]:
    """What was published in words, with how often a trial would find a difference; nothing for a number."""
    verdict = row.verdict
    if verdict is None:
        return {}
    return {
        "published_verdict": {
            "says": verdict.says, "n": verdict.n, "source_kind": verdict.source_kind, "doi": verdict.doi,
            "simulated_share_better": row.share_better, "simulated_share_worse": row.share_worse,
        },
    }  # fmt: skip


_MANY_ROWS = 1_000_000


class _Texts(NamedTuple):
    """A column of texts that repeat: the different ones, and which stands in each row."""

    words: Sequence[str]
    rows: np.ndarray


def _estimates(result: TrialResult) -> dict[str, Any]:
    rows = result.estimates.items()
    count = result.n_replicates
    known = [one.value for one in Status]
    statuses = [known.index(status.value) for _, found in rows for status in found.status]
    adjusted = result.adjusted_p_values
    none = np.full(count, np.nan)
    # Only where the protocol adjusts, so that the table of another one keeps its bytes.
    more = {"adjusted_p_value": _stack([adjusted.get(name, none) for name, _ in rows])} if adjusted else {}
    return {
        "replicate": np.tile(np.arange(count), len(rows)),
        "analysis": _Texts([name for name, _ in rows], np.repeat(np.arange(len(rows)), count)),
        "estimate": _stack([found.estimate for _, found in rows]),
        "low": _stack([found.low for _, found in rows]),
        "high": _stack([found.high for _, found in rows]),
        "p_value": _stack([found.p_value for _, found in rows]),
        "status": _Texts(known, np.array(statuses, dtype=np.int64)),
        **more,
    }


def _stack(columns: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(columns) if columns else np.zeros(0)


def _arms(result: TrialResult) -> dict[str, Any]:
    names = [arm.id for arm in result.protocol.arms]
    count, endpoints = result.n_replicates, result.arms.items()
    return {
        "replicate": np.tile(np.repeat(np.arange(count), len(names)), len(endpoints)),
        "arm": _Texts(names, np.tile(np.arange(len(names)), count * len(endpoints))),
        "endpoint": _Texts([name for name, _ in endpoints], np.repeat(np.arange(len(endpoints)), count * len(names))),
        "mean": _stack([values.mean.ravel() for _, values in endpoints]),
        "sd": _stack([values.sd.ravel() for _, values in endpoints]),
        "n": np.concatenate([values.n.ravel() for _, values in endpoints]),
        "event_share": _stack([values.event_share.ravel() for _, values in endpoints]),
    }


def _course(result: TrialResult) -> dict[str, Any]:
    names = [arm.id for arm in result.protocol.arms]
    n_days = result.protocol.follow_up_days
    counts, states = result.counts, result.states
    columns: dict[str, Any] = {
        "arm": _Texts(names, np.repeat(np.arange(len(names)), n_days)),
        "day": np.tile(np.arange(n_days), len(names)),
        "n_people": np.repeat(counts.people, n_days),
        "n_using": counts.using.ravel(),
        "n_never_used": counts.never_used.ravel(),
        "n_in_study": counts.in_study.ravel(),
        "n_people_with_states": np.repeat(states.n_people, n_days),
    }
    for name in states.mean:
        columns[f"{name}_mean"] = states.mean[name].ravel()
        columns[f"{name}_p10"] = states.low[name].ravel()
        columns[f"{name}_p90"] = states.high[name].ravel()
    return columns


def _write(path: Path, columns: Mapping[str, np.ndarray | _Texts], description: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_texts(one) if isinstance(one, _Texts) else _numbers(one) for one in columns.values()]
    about = {"description": description, "origin": "simulated by remission"}
    table = pa.table(arrays, names=list(columns)).replace_schema_metadata(about)
    with new_bytes(path) as file:
        pq.write_table(table, file, compression="zstd")


# Given an array, pa.array loads pandas to ask whether it is one of its kind, a quarter of a second; given bytes it
# does not.
def _numbers(values: np.ndarray) -> Any:
    import pyarrow as pa

    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [None, pa.py_buffer(np.ascontiguousarray(values))])


def _texts(column: _Texts) -> Any:
    import pyarrow as pa

    words = [word.encode() for word in column.words]
    if column.rows.size > _MANY_ROWS:
        # Arrow needs less memory for many, and says so where the letters are more than a column holds.
        known = pa.array([word.decode() for word in words], pa.string())
        return pa.DictionaryArray.from_arrays(_numbers(column.rows.astype(np.int32)), known).dictionary_decode()
    # Decoding a dictionary would load all that Arrow computes with.
    rows = column.rows.tolist()
    ends = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum(np.array([*map(len, words)], dtype=np.int32)[column.rows], out=ends[1:])
    letters = b"".join([words[row] for row in rows])
    return pa.Array.from_buffers(pa.string(), len(rows), [None, pa.py_buffer(ends), pa.py_buffer(letters)])
