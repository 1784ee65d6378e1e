"""What people pass in is read in one place, and what they get back is short to look at."""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import remission as rm
from remission import door
from remission.calibration.added import Reweighted
from remission.calibration.people import level_of
from remission.door.arguments import ARGUMENTS, opened
from remission.errors import MissingExtraError, SpecError
from remission.foresight import explain
from remission.foresight.forecast import register_forecast
from remission.library.calibration_plan import load_calibration_plan
from remission.library.explanations import load_explanations
from remission.library.posteriors import load_posterior
from remission.records.result import Result
from remission.records.session_fields import SESSION_FIELDS

PLAN = {"weight": 82, "age": 45, "dose": "0.5 mg/kg", "minutes": 40, "people": 200}
BENCH = {
    "id": "any", "people": 20, "trials": 20, "drug": {"mean": 1, "sd": 0.4},
    "effect": {"law": "difference", "difference": 5, "sd": 10},
}  # fmt: skip
GUESSED = [
    {"arm": arm, "guess": guess, "n": 20, "mean": 3.0 * (arm == guess), "sd": 4.0}
    for arm in ("drug", "control")
    for guess in ("drug", "control")
]
INFUSION = {"route": "iv_infusion", "dose": "0.5 mg/kg", "duration": "40 min"}
TABLE = "who,what,when\n" + "".join(
    f"p{n},{'alcohol' if (n + day) % 3 else 'no-use'},{day}\n" for n in range(6) for day in range(28)
)

WRONG: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    # a misspelt keyword, an unknown one, one too many by place, one twice, one missing
    (rm.simulate_trial, ("kare",), {"n_replicate": 3}, "n_replicates?"),
    (rm.simulate_trial, ("kare",), {"colour": 3}, "n_replicates, seed"),
    (rm.simulate_trial, ("kare", 20), {}, "n_replicates="),
    (rm.simulate_trial, ("kare",), {"protocol": "kare"}, "given twice"),
    (rm.simulate_trial, (), {}, "Add protocol"),
    # names
    (rm.simulate_trial, ("karre",), {}, "kare?"),
    (rm.simulate_trial, ("",), {}, "an empty text"),
    (rm.simulate_trial, ("kare",), {"parameter_set": "model-forms-2026"}, "model-form-2026?"),
    (rm.simulate_doses, ("pk-2025", [INFUSION]), {"weight_kg": 70, "t_h": 1}, "pk-2026"),
    # plans
    (rm.analyze, ("x.csv",), {}, "Add plan"),
    (rm.bench_blinding, ("psilocibin",), {}, "psilocybin?"),
    (rm.bench_blinding, ("not-there.yaml",), {}, "no such file"),
    (rm.bench_blinding, (5,), {}, "int 5"),
    (rm.bench_blinding, ({"id": "x"},), {}, "required"),
    (rm.bench_blinding, ("kare",), {"with_frontier": 1}, "True or False"),
    (rm.analyze_guesses, ("not-there.csv",), {}, "No such file"),
    (rm.analyze_guesses, (5,), {}, "int 5"),
    (rm.analyze_guesses, ({"groups": []},), {}, "data, or groups"),
    (rm.analyze, ("x.csv", 5), {}, "int 5"),
    (rm.analyze, ("x.csv", "not-there.yaml"), {}, "no such file"),
    (rm.analyze, ("x.csv", "id: x\ntitle: y\n"), {}, "required"),
    # protocols of the wrong kind
    (rm.simulate_trial, (5,), {}, "int 5"),
    (rm.simulate_trial, (None,), {}, "NoneType"),
    (rm.simulate_trial, (pd.DataFrame(),), {}, "DataFrame"),
    (rm.simulate_trial, ("not-there.yaml",), {}, "no such file"),
    (rm.simulate_trial, (Path("not-there.yaml"),), {}, "no such file"),
    (rm.simulate_trial, ("id: x\ntitle: y\n",), {}, "protocol:1"),
    (rm.simulate_trial, ({"id": "x"},), {}, "required"),
    # counts
    (rm.simulate_trial, ("kare",), {"n_replicates": -3}, "int -3"),
    (rm.simulate_trial, ("kare",), {"n_replicates": "20"}, "without quotes"),
    (rm.simulate_trial, ("kare",), {"n_replicates": True}, "bool True"),
    (rm.simulate_trial, ("kare",), {"n_replicates": 2.5}, "2.5"),
    (rm.simulate_trial, ("kare",), {"n_replicates": float("nan")}, "nan"),
    (rm.simulate_trial, ("kare",), {"n_replicates": [20]}, "list"),
    (rm.simulate_trial, ("kare",), {"seed": -1}, "seed"),
    (rm.estimand_truth, ("kare",), {"n_people": 10}, "n_people"),
    # changes of values
    (rm.simulate_trial, ("kare",), {"parameters": {"gama": 0}}, "gamma?"),
    (rm.simulate_trial, ("kare",), {"parameters": {"gamma": "0"}}, "without quotes"),
    (rm.simulate_trial, ("kare",), {"parameters": {"gamma": np.nan}}, "parameters.gamma"),
    (rm.simulate_trial, ("kare",), {"parameters": [("gamma", 0)]}, "list"),
    # quantities
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": "70", "t_h": 1}, "70 kg"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": "70 cm", "t_h": 1}, "70 cm"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": -70, "t_h": 1}, "float -70"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": [70, np.nan], "t_h": 1}, "weight_kg[1]"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": [], "t_h": 1}, "nothing"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": [[70.0]], "t_h": 1}, "not a table"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": {"a": 70}, "t_h": 1}, "weight_kg"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": 70, "t_h": -1}, "t_h"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": 70, "t_h": 1, "z_iiv": [1, 2]}, "shape (1, 2)"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": 70, "t_h": 1, "z_iiv": "typical"}, "z_iiv"),
    (rm.simulate_session_effects, (), {"dose_mg_per_kg": True, "duration_h": 1, "weight_kg": 70}, "bool True"),
    # doses
    (rm.simulate_doses, ("pk-2026", "iv"), {"weight_kg": 70, "t_h": 1}, "doses"),
    (rm.simulate_doses, ("pk-2026", [0.5]), {"weight_kg": 70, "t_h": 1}, "doses[0]"),
    (rm.simulate_doses, ("pk-2026", [{**INFUSION, "dose": 0.5}]), {"weight_kg": 70, "t_h": 1}, "doses[0].dose"),
    (rm.simulate_doses, ("pk-2026", [INFUSION]), {"weight_kg": 70, "t_h": 1, "sites": 5}, "sites"),
    # regimens, limits, levels, scenarios, endpoints of the evidence
    (rm.compare_regimens, ("kare",), {"wieght": 82}, "weight?"),
    (rm.compare_regimens, ([],), {"weight": 82, "age": 45, "preset": "kare"}, "a list of texts"),
    (rm.compare_regimens, (5,), {"weight": 82, "age": 45, "preset": "kare"}, "others"),
    (rm.compare_regimens, ("0.8mg/kg/40min/im",), {"weight": 82, "age": 45, "preset": "kare"}, "compare"),
    (rm.search_regimen, ("dose",), {"limits": "sbp-rise", "weight": 82, "age": 45, "minutes": 40}, "sbp-rise=20"),
    (
        rm.search_regimen,
        ("dose",),
        {"limits": "vas=50", "weight": 82, "age": 45, "minutes": 40},
        "never a dissociation",
    ),
    (rm.search_regimen, ("rate",), {"limits": "sbp-rise=20", "weight": 82, "age": 45}, "dose or duration"),
    (
        rm.search_regimen,
        ("dose",),
        {"limits": "sbp-rise=20", "share": 2, "weight": 82, "age": 45, "minutes": 40},
        "share",
    ),
    (rm.place_levels, ("not-there.csv",), {"weight": 82, "age": 45, "preset": "kare"}, "not-there.csv"),
    (rm.place_levels, ("time,analyte\n40,ket\n",), {"weight": 82, "age": 45, "preset": "kare"}, "levels"),
    (rm.place_levels, (pd.DataFrame(),), {"weight": 82, "age": 45, "preset": "kare"}, "to_csv"),
    (rm.tabulate_scenarios, ("kare", "not-there.yaml"), {}, "not-there.yaml"),
    (rm.tabulate_scenarios, ("kare", {"scenarios": []}), {}, "path"),
    (rm.pool_evidence, ("alcohol", "abstinance"), {}, "abstinence?"),
    (rm.pool_evidence, ("tea", "abstinence"), {}, "alcohol"),
    (rm.pool_evidence, ("alcohol",), {}, "Add endpoint"),
    # results, files, layouts, windows
    (rm.summarize_trial, ("kare",), {}, "simulate_trial() gave"),
    (rm.describe_diaries, (pd.DataFrame(),), {}, "to_csv"),
    (rm.describe_diaries, (b"diary.parquet",), {}, "bytes"),
    (rm.describe_diaries, ("not-there.parquet",), {}, "not-there.parquet"),
    (rm.import_diaries, ("diary.csv",), {"layout": "redcaps"}, "redcap"),
    (rm.import_diaries, ("diary.csv",), {"layout": "redcap"}, "dictionary"),
    (rm.compute_endpoints, ("diary.parquet",), {"window": "a week"}, "(1, 168)"),
    (rm.compute_endpoints, ("diary.parquet",), {"window": (9, 2)}, "window"),
    (rm.compute_endpoints, ("diary.parquet",), {"endpoints": 5}, "endpoints"),
    (rm.compute_endpoints, ("diary.parquet", "ctn0094-relapsed"), {}, "ctn0094-relapse"),
    # designs
    (rm.design_trial, ("kare",), {"n_subjects": "400:60"}, "smaller number first"),
    (rm.design_trial, ("kare",), {"n_subjects": 2}, "n_subjects"),
    (rm.design_trial, ("kare",), {"n_subjects": [60, "many"]}, "many"),
    (rm.design_trial, ("kare",), {"power": 80}, "power"),
    (rm.design_trial, ("kare",), {"analysis": "pda-ketamin"}, "pda-ketamine"),
    (rm.design_trial, ("kare",), {"is_null": True, "power": 0.8}, "null"),
    (rm.design_trial, ("kare",), {"looks": [0.5, "late"]}, "looks"),
    (rm.design_trial, ("kare",), {"spending": "pocok"}, "pocock"),
    (rm.design_trial, ("kare",), {"n_draws": 4, "effect_model": "both"}, "baseline"),
    # the planner and the evidence
    (rm.plan_infusion, (), {"wieght": 82}, "weight?"),
    (rm.plan_infusion, (), {"weight": np.nan, "age": 45}, "weight"),
    (rm.plan_infusion, (), {"weight": [82, 83], "age": 45}, "one value"),
    (rm.plan_infusion, (), {"weight": True, "age": 45}, "weight"),
    (rm.plan_infusion, (), {"weight": 82, "age": 45, "dose": 0.5, "minutes": 40}, "dose"),
    (rm.find_evidence, (), {"substance": "alchohol"}, "alcohol?"),
    # what is expected of a trial
    (rm.forecast_trial, ("kare",), {"n_draws": 3}, "from 20"),
    (rm.score_forecast, ("nowhere.json", {"verdict": "helps"}), {}, "nowhere.json"),
    (rm.score_forecast, ("nowhere.json", "helps"), {}, "estimate=-4.1"),
    (rm.explain_trial, ("kare",), {"n_people": 5}, "from 100"),
    (rm.explain_trial, ("kare",), {"studies": {"people": -1}}, "studies"),
    # the facts
    (rm.validate, (), {"fact": "one-laps"}, "one-lapse?"),
    (rm.validate, (), {"fact": 7}, "the id of a registered fact"),
    (rm.validate, (), {"quick": "yes"}, "quick"),
]


@pytest.mark.parametrize(
    ("function", "args", "named", "words"),
    WRONG,
    ids=[f"{number}-{row[0].__name__}" for number, row in enumerate(WRONG)],
)
def test_a_wrong_argument_says_which_and_what_to_do(
    function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    """A bare AttributeError from six layers down tells a reader nothing."""
    with pytest.raises(SpecError) as error:
        function(*args, **named)
    assert words in str(error.value)
    assert all(fault.where and fault.allowed for fault in error.value.faults)


NONSENSE: dict[str, Any] = {
    "object": object(), "complex": 1 + 2j, "bytes": b"x", "no number": float("nan"), "infinity": float("inf"),
    "set": {1, 2}, "class": int, "frame": pd.DataFrame({"a": [1]}), "no time": pd.NaT, "nested": [[["x"]]],
    "more than any float": 10**400, "long text": "x" * 5000,
}  # fmt: skip
TAKES: dict[str, set[str]] = {
    "class": {"function", "on_progress"},
    "frame": {"dose_mg", "z_absorption", "z_iov"},
    "long text": {
        "substance", "fact", "layout", "name", "text", "endpoint", "role", "analysis", "evidence", "without", "looks",
        "spending", "prices", "design", "source_kind", "pk_model", "futility", "sites", "analytes", "find", "others",
        "limits", "within_plasma", "share", "levels", "effect_model", "arm", "conditions",
    },
    "no number": {"share"},
    "infinity": {"share"},
    "more than any float": {"share"},
}  # fmt: skip
"""What a reader takes, as a name that the function itself looks up, or as a table of one cell."""


@pytest.mark.parametrize("kind", NONSENSE)
def test_twelve_kinds_of_nonsense_are_refused_by_every_reader(kind: str) -> None:
    """A reader that lets one of them through, or falls over it, shows a traceback from six layers down."""
    given = {"weight_kg": np.array([70.0]), "model": rm.load_pk_model()}
    for name, reader in ARGUMENTS.items():
        if name in TAKES.get(kind, ()):
            reader.read(name, NONSENSE[kind], given)
            continue
        with pytest.raises(SpecError) as error:
            reader.read(name, NONSENSE[kind], given)
        assert all(name in fault.where and fault.allowed for fault in error.value.faults), name
        assert len(str(error.value)) < 2000, name


@pytest.mark.parametrize("kind", NONSENSE)
def test_twelve_kinds_of_nonsense_are_refused_in_every_field_of_a_plan(kind: str) -> None:
    """The fields of a plan have a reader of their own, which takes texts and numbers."""
    for name in SESSION_FIELDS:
        with pytest.raises(SpecError):
            rm.plan_infusion(**{**PLAN, name: NONSENSE[kind]})


def test_every_function_says_what_is_missing_or_unknown() -> None:
    """Python's own TypeError names no remedy."""
    functions = [found for name in rm.__all__ if inspect.isfunction(found := getattr(rm, name))]
    for function in functions:
        with pytest.raises(SpecError, match="nobody_has_this"):
            function(nobody_has_this=1)
        if any(one.default is one.empty for one in inspect.signature(function).parameters.values()):
            with pytest.raises(SpecError, match="Add "):
                function()
    assert len(functions) > 35


def test_an_open_or_closed_file_is_no_path(tmp_path: Path) -> None:
    """People pass what open() gave; its name is what is wanted, and the message says it."""
    with (tmp_path / "diary.csv").open("w") as file:
        file.write(TABLE)
    with pytest.raises(SpecError, match=r"Pass its name instead of the open file"):
        rm.import_diaries(file)


def test_what_is_passed_in_is_the_same_in_every_form() -> None:
    """A name, a file's text, fields and an object are one protocol; a number, a text and an array one weight."""
    kare = rm.load_protocol("kare")
    forms = ["kare", kare, rm.write_protocol(kare), kare.to_dict()]
    assert (
        len({rm.summarize_trial(rm.simulate_trial(one, n_replicates=1)).rows[0].simulated_mean for one in forms}) == 1
    )
    values = rm.load_course_parameters("alcohol").replace(gamma=0.0)
    changed = [values, {"gamma": 0}, {"gamma": np.float32(0.0)}]
    assert len({rm.simulate_trial("kare", n_replicates=1, parameters=one).parameters for one in changed}) == 1
    weights = [70, 70.0, "70 kg", [70], np.array([70]), np.float32(70), pd.Series([70.0]), ["70 kg"]]
    doses = [[INFUSION], INFUSION, [rm.Dose.create(**INFUSION)]]
    times = [1, "60 min", [1.0]]
    found = {
        rm.simulate_doses("pk-2026", doses[k % 3], weight_kg=weight, t_h=times[k % 3]).conc_ng_per_ml.item()
        for k, weight in enumerate(weights)
    }
    assert len(found) == 1


def test_nothing_is_the_typical_person() -> None:
    """Zeros of the right shape are typed by nobody gladly, and another shape is a wrong number."""
    model = rm.load_pk_model("pk-2026")
    dose = rm.Dose.create(**INFUSION)
    zeros = np.zeros((2, model.n_iiv))
    left_out = rm.simulate_doses(model, [dose], weight_kg=[60, 80], t_h=[0.5])
    said = rm.simulate_doses(model, [dose], weight_kg=[60, 80], t_h=[0.5], z_iiv=zeros)
    np.testing.assert_array_equal(left_out.conc_ng_per_ml, said.conc_ng_per_ml)
    curves = rm.simulate_session_curves(
        dose_mg_per_kg=0.5, duration_h="40 min", t_h=[0.5], weight_kg=[60, 80], sbp0_mmhg=120, dbp0_mmhg="80 mmHg"
    )
    assert curves.sbp_mmhg.shape == (2, 1)


def test_every_argument_has_a_reader() -> None:
    """A function of the door whose argument nobody reads would pass anything on."""
    for module in pkgutil.iter_modules(door.__path__):
        importlib.import_module(f"remission.door.{module.name}")
    with pytest.raises(TypeError, match="no reader"):
        opened(lambda nobody_reads_this: nobody_reads_this)
    assert all(reader.expected for reader in ARGUMENTS.values())


PERSON: dict[str, Any] = {"weight": 82, "age": 45, "minutes": 40, "people": 200}
LEVELS = "time,analyte,site,value,unit\n40 min,ket,arterial,150,ng/mL\n"


STUDY = {
    "id": "small", "title": "Small", "data": {"layout": "people", "person": "id", "arm": "arm"},
    "arms": [{"id": "a", "label": "A", "values": ["A"]}, {"id": "b", "label": "B", "values": ["B"]}],
    "measures": [{"id": "score", "label": "Score", "column": "score", "measure": "mean", "better": "lower"}],
    "analyses": [{
        "id": "difference", "label": "Score", "endpoint": "score", "method": "mean_difference",
        "contrast": {"treatment": ["a"], "control": ["b"]}, "role": "primary",
    }],
}  # fmt: skip


def _study(folder: Path) -> Path:
    path = folder / "people.csv"
    path.write_text("id,arm,score\n" + "".join(f"P{n},{'AB'[n % 2]},{n * n % 17}\n" for n in range(30)))
    return path


def _scenarios(folder: Path) -> Path:
    path = folder / "scenarios.yaml"
    path.write_text("replicates: 20\nscenarios:\n  - id: usual\ndesigns:\n  - id: small\n    n_subjects: 24\n")
    return path


def _scores(folder: Path, forecast: Any) -> Result:
    register_forecast(forecast, folder / "forecast.json")
    return rm.score_forecast(folder / "forecast.json", {"verdict": "helps", "n": 90, "source": "NCT01234567"})


@cache
def results() -> dict[type, Result]:
    """One of every kind, made as people make them; the trial has all replicates of a report."""
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="remission-door-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "diary.csv").write_text(TABLE)
    trial = rm.simulate_trial("kare", n_replicates=4)
    (folder / "mapping.yaml").write_text("when_is: day\n")
    imported = rm.import_diaries(folder / "diary.csv", mapping=folder / "mapping.yaml")
    described = rm.describe_diaries(imported, n_resamples=100)
    folder_of_run = rm.run_trial("kare", folder / "runs", n_replicates=1)
    person = {"weight_kg": np.full(500, 70.0)}
    session = {"dose_mg_per_kg": 0.5, "duration_h": 2 / 3, **person}
    forecast = rm.forecast_trial("kare", n_draws=20, n_replicates=2)
    found: list[Result] = [
        _reweighted(), level_of(load_calibration_plan(), imported.diaries[0]),
        trial, rm.summarize_trial(trial), trial.parameters, rm.estimand_truth("kare", n_people=100), imported,
        imported.diaries[0], described, described.descriptions[0], rm.compute_endpoints(imported),
        rm.rebuild(folder_of_run), rm.load_evidence(), rm.load_pk_model(),
        rm.load_pharmacology(), rm.simulate_session_effects(**session),
        rm.simulate_session_curves(**session, t_h=np.linspace(0, 4, 50), sbp0_mmhg=120, dbp0_mmhg=80),
        rm.simulate_doses("pk-2026", INFUSION, **person, t_h=np.linspace(0, 4, 50)),
        rm.exposure_of_doses("pk-2026", INFUSION, **person),
        rm.plan_infusion(weight=82, age=45, dose="0.5 mg/kg", minutes=40, people=200),
        rm.design_trial("kare", n_subjects=24, power=0.8, max_replicates=20),
        rm.design_effect({"effect": {"law": "difference", "difference": 5, "sd": 10}}, power=0.8, max_replicates=100),
        rm.validate(fact="self-quit-smokers", quick=True),
        rm.compare_regimens("kare", **PERSON, dose="0.5 mg/kg"),
        rm.search_regimen("dose", limits="sbp-rise=20", **PERSON),
        rm.place_levels(LEVELS, **PERSON, dose="0.5 mg/kg"),
        rm.tabulate_scenarios("kare", _scenarios(folder)),
        rm.pool_evidence("alcohol", "days-abstinent"), rm.analyze(_study(folder), plan=STUDY), load_posterior(),
        forecast, _scores(folder, forecast), explain.Explanation(found=next(iter(load_explanations().values()))),
        rm.export_cdisc(folder_of_run, folder / "cdisc"),
        rm.bench_blinding(BENCH, with_frontier=False), rm.analyze_guesses({"groups": GUESSED}),
    ]  # fmt: skip
    return {type(one): one for one in found}


def _reweighted() -> Reweighted:
    """As reweight() gives it; making one takes half a minute."""
    there = {"mean": (-0.2, 0.3, 0.8), "tau": (0.0, 0.3, 0.9)}
    return Reweighted(
        trial="a", substance="alcohol", k=0.2, effective=800.0, n_draws=1000, predicted=(-1.0, 1.0, 3.0), chance=0.7,
        before=there, after=there, posterior=load_posterior(),
    )  # fmt: skip


def kinds() -> list[type]:
    """Every kind of result in the package."""
    import remission

    for module in pkgutil.walk_packages(remission.__path__, "remission."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    # A dataclass with slots is made twice; the first make is not in its module.
    return [
        one for one in Result.__subclasses__() if getattr(importlib.import_module(one.__module__), one.__name__) is one
    ]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_a_result_is_short_to_look_at_and_whole_when_taken_out(kind: type) -> None:
    """Half a million characters at the prompt hide what was found; a table or JSON that lacks rows hides it better."""
    result = results()[kind]
    lines = repr(result).splitlines()
    assert 1 < len(lines) <= 15
    assert max(len(line) for line in lines) <= 160
    assert str(result) == repr(result)
    # Where there are days, their picture stands above the table.
    picture, table, rest = result._repr_html_().rpartition("<table><caption>")
    assert len(table + rest) < 20_000
    assert len(picture) < 100_000
    frame = result.to_frame()
    assert {len(column) for column in result.columns().values()} == {len(frame)}
    json.loads(result.to_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", ["kare", "cold-turkey-alcohol"])
def test_a_protocol_is_short_to_look_at(name: str) -> None:
    """The whole record is what explain() and write_protocol() are for."""
    protocol = rm.load_protocol(name)
    assert len(repr(protocol).splitlines()) <= 15
    assert len(str(protocol)) < 2500


def test_results_draw_themselves_or_say_that_nothing_is_drawn() -> None:
    """A chart is a promise of a method; what has none says where the numbers are."""
    drawn = {kind for kind, result in results().items() if kind.__name__ in {"TrialResult", "Plan", "Concentrations"}
             and result.plot().get_axes()}  # fmt: skip
    assert len(drawn) == 3
    with pytest.raises(SpecError, match=r"to_frame\(\)"):
        rm.load_pk_model().plot()


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """No module named matplotlib tells nobody what to install."""

    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name}", name="matplotlib")

    monkeypatch.setattr("remission.records.result.import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'remission\[plots\]'"):
        rm.load_pk_model().plot()


def test_a_result_without_a_table_cannot_be_made() -> None:
    """A kind of result is complete or is none."""

    class Incomplete(Result):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Incomplete()  # type: ignore[abstract]
