"""Small protocols with few people, for tests that need a whole trial."""

from typing import Any

from remission.protocol.record import Protocol

__all__ = ["small_protocol"]


def small_protocol(**changes: Any) -> Protocol:
    """A two-arm alcohol trial: 24 people, 28 days, one infusion, four sessions, weekly visits.

    Parameters
    ----------
    changes
        Fields of :class:`~remission.protocol.record.Protocol` to use instead.

    Raises
    ------
    SpecError
        The changed protocol would be wrong.
    """
    sessions = [{"infusion": 1, "offset_days": offset} for offset in (0, 1, 7, 8)]
    infusion = {"day": 0, "duration_min": 40.0}
    window = {"first": 0, "last": 27}
    fields: dict[str, Any] = {
        "id": "small",
        "title": "A small trial",
        "substance": "alcohol",
        "follow_up_days": 28,
        "population": {
            "n_subjects": 24,
            "age": {"mean_y": 44.0, "sd_y": 10.0, "low_y": 18.0, "high_y": 60.0},
            "weight": {"mean_kg": 75.0, "sd_kg": 14.0, "low_kg": 45.0, "high_kg": 140.0},
            "female_fraction": 0.4,
            "clean_days": 14,
        },
        "drugs": {
            "ketamine": {"drug": "racemic-ketamine", "infusions": [{**infusion, "dose_mg_per_kg": 0.8}]},
            "saline": {"drug": "saline", "infusions": [{**infusion, "dose_mg_per_kg": 0.0}]},
        },
        "therapies": {"mbrp": {"kind": "mbrp", "quality": 1.0, "session_min": 90.0, "sessions": sessions}},
        "arms": [
            {
                "id": f"{drug}-therapy",
                "label": f"{drug.capitalize()} with therapy",
                "drug": drug,
                "therapy": "mbrp",
                "factors": {"drug": drug},
            }
            for drug in ("ketamine", "saline")
        ],
        "randomization": {"block_size": 4},
        "visits": [{"id": "weekly", "days": [6, 13, 20, 27], "collects": ["diary", "test", "craving"]}],
        "test": {"kind": "breath", "detection_days": 1, "sensitivity": 0.95, "specificity": 0.99},
        "endpoints": [
            {
                "id": "pda",
                "label": "Days abstinent",
                "kind": "percent_days_abstinent",
                "window": window,
                "missing": "observed",
            },
            {"id": "relapse", "label": "Relapse", "kind": "confirmed_relapse", "window": window, "missing": "observed"},
            {
                "id": "time",
                "label": "Time to use or leaving",
                "kind": "days_to_relapse_or_dropout",
                "window": window,
                "missing": "use",
            },
            {"id": "craving", "label": "Craving", "kind": "mean_craving", "window": window, "missing": "observed"},
        ],
        "analyses": [
            {
                "id": f"{endpoint}-ketamine",
                "label": f"{endpoint}, ketamine against saline",
                "endpoint": endpoint,
                "method": method,
                "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}},
            }
            for endpoint, method in (
                ("pda", "mean_difference"),
                ("relapse", "odds_ratio"),
                ("time", "hazard_ratio"),
                ("craving", "percent_lower"),
            )
        ],
    }
    return Protocol.create(**{**fields, **changes})
