"""Adjusted p values against a second procedure that decides alpha by alpha, and the error rate they promise."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from validation.small_trials import small_protocol

from remission.analyses.estimate import Estimates, Status
from remission.analyses.multiplicity import adjust_family, adjusted_p_values
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.multiplicity import FamilyTest, Multiplicity

NAMES = ("pda-ketamine", "relapse-ketamine", "time-ketamine", "craving-ketamine")


def protocol_with(*gates: dict[str, object]) -> Protocol:
    return small_protocol(multiplicity={"gates": list(gates)})


def estimates_of(p_values: np.ndarray) -> dict[str, Estimates]:
    """Four analyses whose p values are given, one column each."""
    return {
        name: Estimates(estimate=column, low=column, high=column, p_value=column, status=(Status.OK,) * column.size)
        for name, column in zip(NAMES, p_values.T, strict=True)
    }


def test_families_by_hand() -> None:
    """0.01, 0.02, 0.03, 0.04: Holm, Hochberg and Bonferroni as in any textbook."""
    raw = np.array([[0.01, 0.02, 0.03, 0.04]])
    np.testing.assert_allclose(adjust_family(raw, "holm"), [[0.04, 0.06, 0.06, 0.06]])
    np.testing.assert_allclose(adjust_family(raw, "hochberg"), [[0.04, 0.04, 0.04, 0.04]])
    np.testing.assert_allclose(adjust_family(raw, "bonferroni"), [[0.04, 0.08, 0.12, 0.16]])
    np.testing.assert_allclose(adjust_family(np.array([[0.01, np.nan]]), "holm"), [[0.02, 1.0]])


@pytest.mark.parametrize(
    ("test", "name"), [("holm", "holm"), ("hochberg", "simes-hochberg"), ("bonferroni", "bonferroni")]
)
def test_families_are_those_of_a_library(test: FamilyTest, name: str) -> None:
    """With ties, ones and tiny values."""
    raw = np.round(np.random.default_rng(4).uniform(size=(8, 5)) ** 4, 2)
    expected = [multipletests(row, method=name)[1] for row in raw]
    np.testing.assert_allclose(adjust_family(raw, test), expected, rtol=1e-12)


def rejected(p: list[float], test: str, alpha: float) -> list[bool]:
    """Which of a family are rejected at alpha, step by step."""
    order, count = sorted(range(len(p)), key=lambda i: p[i]), len(p)
    if test == "bonferroni":
        return [one <= alpha / count for one in p]
    passes = [p[i] <= alpha / (count - rank) for rank, i in enumerate(order)]
    if test == "holm":
        n_rejected = next((rank for rank, good in enumerate(passes) if not good), count)
    else:
        n_rejected = max((rank + 1 for rank, good in enumerate(passes) if good), default=0)
    return [i in order[:n_rejected] for i in range(count)]


def decide(multiplicity: Multiplicity, p: dict[str, float], alpha: float) -> set[str]:
    """The rejections at one alpha, gate after gate, with the alpha that arrives."""
    found: set[str] = set()
    for gate in multiplicity.in_order:
        flags = rejected([p[name] for name in gate.analyses], gate.test, alpha)
        found |= {name for name, flag in zip(gate.analyses, flags, strict=True) if flag}
        alpha *= float(np.mean(flags)) if gate.hands_on == "rejected" else all(flags)
        if alpha == 0.0:
            break
    return found


SERIAL: tuple[dict[str, object], ...] = (
    {"id": "a", "analyses": NAMES[:2]},
    {"id": "b", "analyses": NAMES[2:], "after": "a", "test": "hochberg"},
)
PARALLEL: tuple[dict[str, object], ...] = (
    {"id": "b", "analyses": NAMES[3:], "after": "m"},
    {"id": "a", "analyses": NAMES[:2], "test": "bonferroni", "hands_on": "rejected"},
    {"id": "m", "analyses": NAMES[2:3], "after": "a", "test": "bonferroni", "hands_on": "rejected"},
)


@pytest.mark.parametrize(
    "gates", [SERIAL, PARALLEL, ({"id": "one", "analyses": NAMES},)], ids=["serial", "parallel", "one"]
)
def test_rejections_at_any_alpha_are_those_of_the_procedure(gates: tuple[dict[str, object], ...]) -> None:
    """An adjusted p value is right if and only if it says the same as the step-by-step rule at every alpha."""
    protocol = protocol_with(*gates)
    assert protocol.multiplicity is not None
    raw = np.random.default_rng(1).uniform(0.0, 0.12, (60, 4)) ** 1.5
    adjusted = adjusted_p_values(protocol, estimates_of(raw))
    for number in range(60):
        p = dict(zip(NAMES, raw[number], strict=True))
        for alpha in (0.001, 0.01, 0.025, 0.05, 0.1, 0.3):
            told = {name for name in NAMES if adjusted[name][number] <= alpha}
            assert told == decide(protocol.multiplicity, p, alpha)


@pytest.mark.stat
@pytest.mark.parametrize("gates", [SERIAL, PARALLEL], ids=["serial", "parallel"])
def test_the_chance_of_any_false_rejection_is_at_most_alpha(gates: tuple[dict[str, object], ...]) -> None:
    """4,000 trials with a strong effect in the first hypothesis only: within 4 Monte Carlo errors of 5 percent."""
    raw = np.random.default_rng(2).uniform(size=(4000, 4))
    raw[:, 0] = 1e-9
    adjusted = adjusted_p_values(protocol_with(*gates), estimates_of(raw))
    any_false = np.any([adjusted[name] <= 0.05 for name in NAMES[1:]], axis=0)
    assert any_false.mean() < 0.05 + 4.0 * np.sqrt(0.05 * 0.95 / 4000)


def test_a_failed_analysis_has_no_p_value_and_opens_no_gate() -> None:
    """Dropping it from its family would let the others spend its alpha."""
    raw = np.array([[0.001, np.nan, 0.001, 0.001]])
    found = adjusted_p_values(protocol_with(*SERIAL), estimates_of(raw))
    assert np.isnan(found[NAMES[1]][0])
    assert found[NAMES[0]][0] == pytest.approx(0.002)
    assert found[NAMES[2]][0] == 1.0


def test_a_protocol_that_adjusts_nothing_has_no_adjusted_p_values() -> None:
    """An empty table, not the raw values under another name."""
    assert adjusted_p_values(small_protocol(), estimates_of(np.full((2, 4), 0.5))) == {}


def gate(id: str, analyses: tuple[str, ...], after: str | None = None, **more: str) -> dict[str, object]:
    return {"id": id, "analyses": analyses, "after": after, **more}


@pytest.mark.parametrize(
    ("gates", "where", "got"),
    [
        ((gate("a", ("x",), "b"), gate("b", ("y",), "a")), "gates[0].after", "a after b after a"),
        ((gate("a", ("x",), "a"),), "gates[0].after", "a after a"),
        ((gate("a", ("x",)), gate("b", ("y",))), "gates[1].after", "nothing"),
        ((gate("a", ("x",)), gate("b", ("y",), "a"), gate("c", ("z",), "a")), "gates[2].after", "a"),
        ((gate("a", ("x",)), gate("b", ("y",), "q")), "gates[1].after", "q"),
        ((gate("a", ("x",)), gate("a", ("y",), "a")), "gates[1].id", "a"),
        ((gate("a", ("x",)), gate("b", ("x",), "a")), "gates[1].analyses", "x"),
        ((gate("a", ("x",), hands_on="rejected"),), "gates[0].test", "holm"),
    ],
    ids=[
        "circle",
        "itself",
        "two first",
        "two after one",
        "unknown",
        "same id",
        "tested twice",
        "share without Bonferroni",
    ],
)
def test_gates_that_cannot_be_passed_in_a_row_are_refused(
    gates: tuple[dict[str, object], ...], where: str, got: str
) -> None:
    """A circle is never entered; a fork would give the same alpha away twice."""
    with pytest.raises(SpecError) as caught:
        Multiplicity.create(gates=gates)
    assert (f"multiplicity.{where}", got) in [(fault.where, fault.got) for fault in caught.value.faults]


def test_gates_name_analyses_of_the_protocol() -> None:
    """A misspelt hypothesis would leave the real one unadjusted."""
    with pytest.raises(SpecError) as caught:
        protocol_with(gate("a", ("pda-ketamin",)))
    assert caught.value.faults[0].where.endswith("multiplicity.gates[0].analyses")
