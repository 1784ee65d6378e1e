"""Public data sets in the columns of the comparison: those that come with installed libraries, and a folder beside.

Sides are made of a column of the data where no treatment was given, and columns stand for visits where there are none:
two programs are compared here, no treatments.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = "REMISSION_PUBLIC_DATA"
MOST_PEOPLE = 240


def folder() -> Path:
    return Path(os.environ.get(FOLDER, "../shared/data"))


def data_sets() -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and people of each data set that is here."""
    for name, made in SETS.items():
        try:
            frame = made()
        except FileNotFoundError:
            print(f"{name}: not here (set {FOLDER} to its folder, or install R); skipped")
            continue
        frame = frame.reset_index(drop=True)
        if len(frame) > MOST_PEOPLE:
            frame = frame.iloc[:: -(-len(frame) // MOST_PEOPLE)].reset_index(drop=True)
        frame.insert(0, "person", [f"p{place:04d}" for place in range(len(frame))])
        yield name, frame


def _sides(is_treated: Any) -> Any:
    return np.where(np.asarray(is_treated, dtype=bool), "a", "b")


def _statsmodels(name: str) -> pd.DataFrame:
    import statsmodels.api as sm

    return getattr(sm.datasets, name).load_pandas().data


def _lifelines(name: str) -> pd.DataFrame:
    import lifelines.datasets

    return getattr(lifelines.datasets, f"load_{name}")()


def _sklearn(name: str) -> tuple[pd.DataFrame, Any]:
    import sklearn.datasets

    found = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    return found.data, found.target


def _r(name: str, package: str) -> pd.DataFrame:
    """A data set that comes with R: read through R, for its packages are under the GPL and nothing of them is kept."""
    command = f'data({name}, package = "{package}"); write.csv(as.data.frame({name}), row.names = FALSE)'
    # Rscript is looked for; without it FileNotFoundError says so, as of a folder that is not here.
    found = subprocess.run(["Rscript", "-e", command], capture_output=True, text=True, check=False)
    if found.returncode:
        raise FileNotFoundError(found.stderr)
    return pd.read_csv(StringIO(found.stdout))


def _fair() -> pd.DataFrame:
    table = _statsmodels("fair")
    return pd.DataFrame(
        {
            "arm": _sides(table["children"] > 0),
            "age": table["age"],
            "base": table["yrs_married"],
            "y": table["affairs"].round(2),
            "pos": table["educ"],
            "event": (table["affairs"] > 0).astype(float),
            "count": table["affairs"].round(),
            "heavy": table["rate_marriage"],
            "planned": 28.0,
        }
    )


def _randhie() -> pd.DataFrame:
    table = _statsmodels("randhie")
    return pd.DataFrame(
        {
            "arm": _sides(table["idp"] > 0),
            "age": table["disea"].round(2),
            "base": table["lpi"].round(3),
            "y": table["fmde"].round(3),
            "pos": 1.0 + table["mdvis"],
            "event": (table["mdvis"] > 2).astype(float),
            "count": table["mdvis"],
            "heavy": np.minimum(table["mdvis"], 28.0),
            "planned": 28.0,
        }
    )


def _anes() -> pd.DataFrame:
    table = _statsmodels("anes96")
    views = table[["selfLR", "ClinLR", "DoleLR"]].add(0.0)
    return pd.DataFrame(
        {
            "arm": _sides(table["vote"] > 0),
            "age": table["age"],
            "sex": np.where(table["educ"] > 4, "more", "less"),
            "base": table["PID"],
            "y": table["selfLR"],
            "pos": table["income"],
            "event": (table["TVnews"] > 3).astype(float),
            "count": table["TVnews"],
            "heavy": table["TVnews"],
            "planned": 7.0,
            "v1": views["selfLR"],
            "v2": views["ClinLR"],
            "v3": views["DoleLR"],
        }
    )


def _linnerud() -> pd.DataFrame:
    table, body = _sklearn("linnerud")
    return pd.DataFrame(
        {
            "arm": _sides(body["Waist"] > 35),
            "age": body["Pulse"],
            "base": body["Weight"],
            "y": table["Situps"],
            "pos": table["Jumps"],
            "event": (table["Chins"] > 9).astype(float),
            "count": table["Chins"],
            "heavy": table["Chins"],
            "planned": 20.0,
            "v1": table["Chins"],
            "v2": table["Situps"] / 10,
            "v3": table["Jumps"] / 10,
        }
    )


def _iris() -> pd.DataFrame:
    table, kind = _sklearn("iris")
    columns = dict(zip(("v1", "v2", "v3", "v4"), (table.iloc[:, place] for place in range(4)), strict=True))
    return pd.DataFrame({"arm": _sides(kind == 2), "y": table.iloc[:, 0], "pos": table.iloc[:, 2], **columns})[kind > 0]


def _breast() -> pd.DataFrame:
    table, kind = _sklearn("breast_cancer")
    return pd.DataFrame(
        {
            "arm": _sides(table["mean symmetry"] > 0.18),
            "age": table["mean smoothness"],
            "base": table["mean texture"],
            "y": table["mean radius"],
            "pos": table["mean area"],
            "event": kind.astype(float),
        }
    )


def _diabetes() -> pd.DataFrame:
    table, worse = _sklearn("diabetes")
    return pd.DataFrame(
        {
            "arm": _sides(table["sex"] > 0),
            "age": table["age"],
            "base": table["bmi"],
            "y": worse,
            "pos": worse,
            "event": (worse > 140).astype(float),
        }
    )


def _rossi() -> pd.DataFrame:
    table = _lifelines("rossi")
    return pd.DataFrame(
        {
            "arm": _sides(table["fin"] == 1),
            "age": table["age"],
            "sex": np.where(table["mar"] == 1, "married", "not"),
            "site": np.where(table["wexp"] == 1, "worked", "not"),
            "day": table["week"],
            "died": table["arrest"],
            "event": table["arrest"].astype(float),
            "count": table["prio"],
            "heavy": table["prio"],
            "planned": 60.0,
        }
    )


def _lung() -> pd.DataFrame:
    table = _lifelines("lung")
    return pd.DataFrame(
        {
            "arm": _sides(table["sex"] == 2),
            "age": table["age"],
            "sex": table["ph.ecog"].map({0.0: "none", 1.0: "some", 2.0: "much", 3.0: "much"}),
            "base": table["wt.loss"],
            "day": np.ceil(table["time"] / 10),
            "died": table["status"],
            "y": table["meal.cal"],
            "pos": table["pat.karno"],
        }
    )


def _gbsg() -> pd.DataFrame:
    table = _lifelines("gbsg2")
    return pd.DataFrame(
        {
            "arm": _sides(table["horTh"] == "yes"),
            "age": table["age"],
            "sex": table["menostat"],
            "site": table["tgrade"],
            "day": np.ceil(table["time"] / 30),
            "died": table["cens"],
            "count": table["pnodes"],
            "heavy": np.minimum(table["pnodes"], 60),
            "planned": 60.0,
            "y": table["tsize"],
        }
    )


def _fev() -> pd.DataFrame:
    rows = pd.read_csv(folder() / "mmrm" / "fev_data.csv")
    wide = rows.pivot_table(index="USUBJID", columns="VISITN", values="FEV1").add_prefix("v")
    people = rows.groupby("USUBJID").first()
    return pd.DataFrame(
        {
            "arm": _sides(people["ARMCD"] == "TRT"),
            "age": people["WEIGHT"],
            "sex": people["SEX"],
            "base": people["FEV1_BL"],
        },
        index=people.index,
    ).join(wide)


def _chicks() -> pd.DataFrame:
    rows = _r("ChickWeight", "datasets")
    wide = rows.pivot_table(index="Chick", columns="Time", values="weight")
    diet = rows.groupby("Chick")["Diet"].first()
    visits = {f"v{place}": wide[time] for place, time in enumerate((6, 10, 14, 20), 1)}
    return pd.DataFrame({"arm": _sides(diet > 1), "age": wide[0], "base": wide[2], **visits})


def _teeth() -> pd.DataFrame:
    rows = _r("Orthodont", "nlme")
    wide = rows.pivot_table(index="Subject", columns="age", values="distance")
    sex = rows.groupby("Subject")["Sex"].first()
    return pd.DataFrame(
        {"arm": _sides(sex == "Male"), **{f"v{place}": wide[age] for place, age in enumerate((8, 10, 12, 14), 1)}}
    )


SETS: dict[str, Callable[[], pd.DataFrame]] = {
    "fair (statsmodels)": _fair,
    "randhie (statsmodels)": _randhie,
    "anes96 (statsmodels)": _anes,
    "linnerud (scikit-learn)": _linnerud,
    "iris (scikit-learn)": _iris,
    "breast_cancer (scikit-learn)": _breast,
    "diabetes (scikit-learn)": _diabetes,
    "rossi (lifelines)": _rossi,
    "lung (lifelines)": _lung,
    "gbsg2 (lifelines)": _gbsg,
    "FEV (mmrm, Apache 2.0)": _fev,
    "ChickWeight (R datasets, Crowder and Hand 1990, GPL)": _chicks,
    "Orthodont (R nlme, Potthoff and Roy 1964, GPL)": _teeth,
}
