"""Whether the fit did what was registered as better."""

from math import fsum
from typing import Any

from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import load_posterior
from validation.wide.registered import BEFORE, COUNTS, LIBRARY

NOT_MADE = "not made yet"


def accepted(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was registered as better, one after the other: what came out and whether it was met."""
    plan = load_calibration_plan(found["plan"])
    limit, exact = plan.tolerance, found.get("exact", [])
    sampled, scored, computed_facts = "r_hat" in found, found.get("left_out"), found.get("facts")
    wide = fsum(row["scores"]["log_score"]["chain"] for row in scored or ())
    was = to_beat()
    rows = [
        {"asked": f"R-hat at most {limit.r_hat:g}, at least {limit.effective_draws} effective draws, at most "
                  f"{100 * limit.divergent_share:g}% divergent",
         "got": f"{found['r_hat']:.3f}, {found['effective_draws']:.0f}, {100 * found['divergent']:.2f}%"
                if sampled else NOT_MADE,
         "met": sampled and found["r_hat"] <= limit.r_hat and found["effective_draws"] >= limit.effective_draws
                and found["divergent"] <= limit.divergent_share},
        {"asked": f"Pareto k of each part at most {limit.psis_k:g} against the exact simulator, "
                  f"{limit.exact_points} draws of each",
         "got": "; ".join(f"{one['part']} {one['psis_k']:.2f}, raw weights worth {one['effective']:.1f}"
                          for one in exact) if exact else NOT_MADE,
         "met": bool(exact) and all(one["psis_k"] <= limit.psis_k for one in exact)},
        {"asked": "sum of log scores of trials left out above "
                  + " and ".join(f"{score:.2f} (`{name}`)" for name, score in was.items()),
         "got": f"{wide:.2f}" if scored else NOT_MADE, "met": bool(scored) and wide > max(was.values())},
    ]  # fmt: skip
    for words, key, value in (
        ("check facts inside, of the substances fitted", "role", "check"),
        ("fit facts that are rows here inside", "fitted", True),
    ):
        chosen = [one for one in computed_facts or () if one[key] == value]
        before, after = (sum(one[name]["verdict"] == "inside" for one in chosen) for name in ("before", "after"))
        asked = f"{words}: at least {before} of {len(chosen)}" if chosen else f"{words}: no fewer than before"
        rows.append(
            {"asked": asked, "got": str(after) if chosen else NOT_MADE, "met": bool(chosen) and after >= before}
        )
    return rows


def to_beat() -> dict[str, float]:
    """Sums of log scores of trials left out, of the sets that it is held against, where the library has them."""
    there = [name for name in (BEFORE, COUNTS) if (LIBRARY / f"{name}.json").is_file()]
    return {name: fsum(one["log_score"]["chain"] for one in load_posterior(name).judged["left_out"]) for name in there}
