"""Trials of people drawn whole from diaries: what is drawn is the source, and the effect is the one that was stated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_diaries import PROTOCOL, diaries

import remission as rm
from remission.cli.app import run_app
from remission.design.operating import simulate_design
from remission.design.sources import source_of
from remission.design.variants import without_effect
from remission.diaries.statistics import describe
from remission.errors import SpecError
from remission.exchange.canonical import write_diaries
from remission.patient.backgrounds import course_parameters_of
from remission.patient.pharmacology import load_pharmacology
from remission.protocol.file import parse_protocol
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.records.effect import DiaryEffect
from remission.records.intercurrent import Blinding
from remission.trial.batch import TrialBatch
from remission.trial.resampled import DiaryPeople, simulate_resampled, strength_by_day


def trial(**effect: Any) -> Protocol:
    protocol = parse_protocol(PROTOCOL, name="two-arms")
    return protocol.replace(effect=DiaryEffect.create(law="diary", **effect)) if effect else protocol


def drawn(protocol: Protocol, source: DiaryPeople, n_replicates: int = 30, under: int | None = None) -> TrialBatch:
    return simulate_resampled(
        protocol, source, seed=7, first_replicate=0, n_replicates=n_replicates,
        parameters=course_parameters_of(protocol.replace(effect=None)), under=under,
    )  # fmt: skip


def as_diaries(batch: TrialBatch) -> Diaries:
    n = len(batch.arm)
    return Diaries(
        substance="alcohol", person=tuple(map(str, range(n))), first_day=0, assessed=batch.observation.seen,
        used=(batch.observation.diary > 0) & batch.observation.seen, amount=None, amount_unit=None,
        weekday_of_first_day=batch.covariates.weekday0, group=("",) * n, origin="simulated", source="", day_zero="",
    )  # fmt: skip


def from_day_0(source: Diaries) -> Diaries:
    cut = -source.first_day
    return Diaries(
        substance=source.substance, person=source.person, first_day=0, assessed=source.assessed[:, cut:][:, :56],
        used=source.used[:, cut:][:, :56], amount=None, amount_unit=None,
        weekday_of_first_day=(source.weekday_of_first_day + cut) % 7, group=source.group, origin="simulated",
        source="", day_zero="",
    )  # fmt: skip


def assert_alike(found: Diaries, source: Diaries) -> None:
    """Every statistic within 4.5 of the errors that drawing people makes: a false alarm in 100,000 for each."""
    there, here = (describe(one, n_resamples=100, seed=2) for one in (source, found))
    share = np.sqrt(len(source.person) / len(found.person))
    for one, other in zip(there.statistics, here.statistics, strict=True):
        error = (one.high - one.low) / (2.0 * 1.96) * share
        if np.isfinite(error) and np.isfinite(one.value):
            assert abs(other.value - one.value) < 4.5 * error + 0.004, one.id


def test_without_an_effect_the_source_comes_back() -> None:
    """Level, transitions, spread between people, missing days, leaving after use: all are those of the diaries."""
    source = diaries()
    assert_alike(as_diaries(drawn(without_effect(trial()), DiaryPeople.of(source))), from_day_0(source))


def test_real_diaries_come_back() -> None:
    """The same of 3,000 real people, where the tables are at hand."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "ctn0094"
    if not folder.exists():
        pytest.skip("the tables of CTN-0094 are not here")
    from remission.exchange.ctn0094 import read_ctn0094

    source = next(one for one in read_ctn0094(folder) if one.substance == "Cocaine")
    batch = drawn(without_effect(trial(use_odds_ratio=1.0)), DiaryPeople.of(source), n_replicates=60)
    on = source.assessed[:, -source.first_day :].any(axis=1)
    cut = -source.first_day
    kept = Diaries(
        substance="", person=tuple(np.array(source.person)[on]), first_day=0,
        assessed=source.assessed[on, cut : cut + 56], used=source.used[on, cut : cut + 56], amount=None,
        amount_unit=None, weekday_of_first_day=source.weekday_of_first_day[on], group=("",) * int(on.sum()),
        origin="observed", source="", day_zero="",
    )  # fmt: skip
    assert_alike(as_diaries(batch), kept)


def test_the_odds_of_everybody_alike_change_by_the_ratio() -> None:
    """With one chance for all the stated ratio must come out as it is, below 1 and above."""
    source = DiaryPeople.of(diaries(chance=(0.4, 0.4), n=400))
    for ratio in (0.4, 2.5):
        protocol = trial(use_odds_ratio=ratio)
        shares = []
        for arm in (0, 1):
            seen = drawn(protocol, source, n_replicates=60, under=arm).observation
            shares.append(float(seen.diary[seen.seen].mean()))
        odds = [share / (1.0 - share) for share in shares]
        assert odds[0] / odds[1] == pytest.approx(ratio, rel=0.06)


def test_unknown_days_stay_unknown_and_days_before_day_0_stay_as_they_are() -> None:
    """An effect on use may change no day that nobody knows, and nothing that came before it."""
    source = DiaryPeople.of(diaries())
    protocol = trial(use_odds_ratio=0.2, from_day=10)
    changed, plain = (drawn(protocol, source, under=arm) for arm in (0, 1))
    np.testing.assert_array_equal(changed.observation.seen, plain.observation.seen)
    np.testing.assert_array_equal(changed.observation.diary[:, :10], plain.observation.diary[:, :10])
    assert (changed.observation.diary <= plain.observation.diary).all()
    assert changed.observation.diary.sum() < 0.9 * plain.observation.diary.sum()
    assert not changed.observation.diary[~changed.observation.seen].any()


def test_amounts_of_use_days_change_by_the_ratio() -> None:
    """Half of the amount on the days that are still use days, and nothing else."""
    source = DiaryPeople.of(diaries())
    protocol = trial(amount_ratio=0.5)
    changed, plain = (drawn(protocol, source, under=arm).observation for arm in (0, 1))
    np.testing.assert_array_equal(changed.diary, plain.diary)
    used = plain.diary > 0
    np.testing.assert_allclose(changed.amount[used], 0.5 * plain.amount[used])


def test_the_effect_rises_and_falls_as_stated() -> None:
    """Whole after the onset, half of it a half-life later, none before it begins."""
    effect = DiaryEffect.create(law="diary", use_odds_ratio=0.5, from_day=5, onset_days=10, half_life_days=20)
    strength = strength_by_day(effect, 60)
    assert strength[:5].tolist() == [0.0] * 5
    assert strength[14] == pytest.approx(1.0)
    assert strength[34] == pytest.approx(0.5)
    assert np.all(np.diff(strength[4:15]) > 0.0)


def test_people_who_differ_in_the_effect_differ_more_in_their_days() -> None:
    """Spread between people must widen the spread of their shares of use days."""
    source = DiaryPeople.of(diaries(chance=(0.5, 0.5), n=300))
    spreads = []
    for spread in (0.0, 2.0):
        seen = drawn(trial(use_odds_ratio=0.7, spread=spread), source, under=0).observation
        share = np.where(seen.seen, seen.diary, 0).sum(axis=1) / seen.seen.sum(axis=1)
        spreads.append(float(share.std()))
    assert spreads[1] > 1.3 * spreads[0]


def test_the_error_of_type_1_is_nominal_and_the_bias_small() -> None:
    """400 trials without an effect: a false alarm of this test in 15,000; and against the known truth no bias."""
    protocol, source = trial(), DiaryPeople.of(diaries())
    parameters = course_parameters_of(protocol.replace(effect=None))
    run = simulate_design(without_effect(protocol), max_replicates=400, mcse=1e-6, seed=3, parameters=parameters,
                          is_null=True, source=source)  # fmt: skip
    found = run.decided("pda-new").measure
    assert abs(found.value - 0.05) < 4.0 * np.sqrt(0.05 * 0.95 / 400)
    study = rm.design_trial(protocol, diaries=diaries(), max_replicates=100, mcse=0.001, n_truth=4000)
    row = study.main[0]
    assert row.bias is not None
    assert row.coverage is not None
    assert abs(row.bias.value) < 4.0 * row.bias.mcse
    assert row.coverage.value > 0.88
    assert row.truth is not None
    assert row.truth > 2.0
    assert [one["name"] for one in study.content["nulls"]] == ["same treatment"]


def test_a_size_is_searched_among_the_people_of_diaries() -> None:
    """The same search as for the chain: power at the size found is the one asked for."""
    study = rm.design_trial(trial(use_odds_ratio=0.3), diaries=diaries(), n_subjects="20:100", power=0.8,
                            max_replicates=30, n_truth=1000)  # fmt: skip
    assert study.smallest_n is not None
    assert study.content["search"]["at"]["rejected"]["value"] == pytest.approx(0.8, abs=0.15)


def test_people_may_come_from_the_chain() -> None:
    """Everybody lives as under the control; the stated effect is the only one."""
    protocol = trial(people="chain", use_odds_ratio=0.3)
    source = source_of(protocol, None, None)
    assert source is not None
    study = rm.design_trial(protocol, max_replicates=20, n_truth=500)
    assert study.main[0].truth is not None
    assert study.main[0].truth > 0.0
    assert "the chain" in study.content["truth_from"]


@pytest.mark.parametrize("people", ["diaries", "chain"])
def test_a_trial_is_the_same_beside_any_other(people: str) -> None:
    """What is usual is that of the trial: taken over all that are simulated together, numbers would hang on that."""
    protocol = trial(use_odds_ratio=0.4, amount_ratio=0.7, **({"people": "chain"} if people == "chain" else {}))
    source = source_of(protocol, None, None) if people == "chain" else DiaryPeople.of(diaries())
    assert source is not None
    control = course_parameters_of(protocol.replace(effect=None))

    def days(first: int, count: int) -> TrialBatch:
        return simulate_resampled(
            protocol, source, seed=7, first_replicate=first, n_replicates=count, parameters=control,
            pharmacology=load_pharmacology(),
        )  # fmt: skip

    n = protocol.population.n_subjects
    whole, alone = days(0, 3), days(1, 1)
    for name in ("use", "amount"):
        np.testing.assert_array_equal(getattr(whole.course, name)[n : 2 * n], getattr(alone.course, name))


def test_what_diaries_cannot_tell_is_refused() -> None:
    """A craving that nobody wrote down would be made up."""
    text = PROTOCOL.replace("collects: [diary]", "collects: [diary, craving]")
    text = text.replace("kind: percent_days_abstinent", "kind: mean_craving")
    with pytest.raises(SpecError, match="endpoint of the diary"):
        rm.design_trial(parse_protocol(text, name="changed"), diaries=diaries(), max_replicates=10)


@pytest.mark.parametrize("acts", [{}, {"expectancy_report": 0.5}, {"expectancy_use": 0.5}])
def test_belief_that_acts_stands_beside_no_stated_effect_on_days(acts: dict[str, float]) -> None:
    """What is felt under an effect that is only stated is not known; guesses that do nothing may be asked for."""
    guesses = Blinding.create(guess_unfelt=0.3, guess_felt=0.9, **acts)
    protocol = trial(use_odds_ratio=0.5).replace(blinding=guesses)
    if not acts:
        rm.design_trial(protocol, diaries=diaries(), max_replicates=10)
        return
    with pytest.raises(SpecError, match="blinding: got belief that acts"):
        rm.design_trial(protocol, diaries=diaries(), max_replicates=10)


def test_wrong_sources_are_refused() -> None:
    """No diaries, diaries too short, another substance, diaries without an effect, sex that nobody wrote down."""
    protocol = trial()
    short = from_day_0(diaries())
    short = Diaries(
        substance="alcohol", person=short.person, first_day=0, assessed=short.assessed[:, :30], used=short.used[:, :30],
        amount=None, amount_unit=None, weekday_of_first_day=short.weekday_of_first_day, group=short.group,
        origin="simulated", source="", day_zero="",
    )  # fmt: skip
    other = trial(use_odds_ratio=0.5, substance="cocaine")
    adjusted = protocol.replace(analyses=[protocol.analyses[0].replace(adjust=("sex",))])
    for one, given, said in (
        (protocol, None, "diaries"), (protocol, short, r"window.*days that the source has"),
        (other, diaries(), "cocaine"),
        (protocol.replace(effect=None), diaries(), "diaries"), (adjusted, diaries(), "adjust"),
        (trial(use_odds_ratio=0.5, arms=["nobody"]), diaries(), "effect.arms"),
    ):  # fmt: skip
        with pytest.raises(SpecError, match=said):
            rm.design_trial(one, diaries=given, max_replicates=10)
    with pytest.raises(SpecError, match="remission design"):
        rm.simulate_trial(protocol, n_replicates=2)


def test_the_command_draws_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the file of an import to a power, with the effect changed on the way."""
    (tmp_path / "trial.yaml").write_text(PROTOCOL)
    write_diaries([diaries()], tmp_path / "days.parquet")
    words = ["design", str(tmp_path / "trial.yaml"), "--diaries", str(tmp_path / "days.parquet"), "-n", "20"]
    assert run_app([*words, "--set", "effect.use_odds_ratio=0.4"]) == 0
    said = capsys.readouterr().out
    assert "150 people" in said
    assert "type" not in said or "same treatment" in said
    assert run_app([*words, "--set", "effect.use_odds_ratio=0"]) == 2
    assert "use_odds_ratio" in capsys.readouterr().err


def test_a_law_in_a_protocol_is_answered_with_its_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same effect in a file of its own and in a protocol has one power."""
    text = PROTOCOL.replace(
        "effect: {law: diary, use_odds_ratio: 0.5}", "effect: {law: difference, difference: 9, sd: 20}"
    )
    (tmp_path / "trial.yaml").write_text(text)
    assert run_app(["design", str(tmp_path / "trial.yaml"), "--replicates", "0"]) == 0
    effect = {"law": "difference", "difference": 9.0, "sd": 20.0}
    power = rm.design_effect({"people": 80, "effect": effect}, is_simulated=False).content["sizes"][0]["power"]
    assert f"power {power:.4f}" in capsys.readouterr().out
    (tmp_path / "wrong.yaml").write_text(text.replace("{law: difference, difference: 9, sd: 20}",
                                                      "{law: proportions, treatment: 0.5, control: 0.3}"))  # fmt: skip
    assert run_app(["design", str(tmp_path / "wrong.yaml")]) == 2
    assert "effect.law" in capsys.readouterr().err


def test_a_report_of_a_diary_trial_is_written_without_the_diaries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """People's days must not travel in a folder that is made to be handed on; the command names the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trial.yaml").write_text(PROTOCOL)
    write_diaries([diaries()], tmp_path / "days.parquet")
    assert run_app(["design", "trial.yaml", "--diaries", "days.parquet", "-n", "8", "--report", "handed-on"]) == 0
    assert "--diaries days.parquet" in capsys.readouterr().out
    assert (tmp_path / "handed-on" / "report.html").is_file()
    assert not list((tmp_path / "handed-on").rglob("days*"))
