"""Guesses at a misspelt name: made where they are safe, and nowhere else."""

import pytest

from remission.errors import did_you_mean, known_names, nearest_names
from remission.library.interactions import load_interactions


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("clean_day", ["clean_days", "weeks"], ["clean_days"]),
        ("Clean Days", ["clean_days"], ["clean_days"]),
        ("racemic_ketamine", ["racemic-ketamine", "saline"], ["racemic-ketamine"]),
        ("ketamine", ["racemic-ketamine", "saline"], ["racemic-ketamine"]),
        ("domino", ["domino1984", "hijazi2003"], ["domino1984"]),
        ("alchohol", ["alcohol"], ["alcohol"]),
        ("iv", ["im", "sc"], []),
        ("hypotension", ["hypertension"], []),
        ("unblinded", ["blinded"], []),
        ("weigth", ["weight", "height"], ["weight"]),
        ("grabski_2022_care", ["grabski_2022_kare"], ["grabski_2022_kare"]),
        ("grabski_2023_kare", ["grabski_2022_kare"], []),
        ("mory-kare", ["kare", "dakwar-2019"], []),
        ("esketamine", ["ketamine", "saline"], []),
        ("prednisone", ["prednisolone"], []),
        ("cocaine", ["codeine"], []),
        ("dose", ["use0", "p_hide", "om_end"], []),
        ("naltrexone", ["alc_naltrexone_a", "alc_naltrexone_b", "alc_naltrexone_c", "opi_naltrexone_d"], []),
        ("\ud800" * 5000, ["clean_days"], []),
        ("kittens", ["clean_days", "weeks"], []),
        ("", ["clean_days"], []),
    ],
)
def test_only_safe_guesses(name: str, known: list[str], near: list[str]) -> None:
    """A guess that is another thing sends a tired reader the wrong way."""
    assert nearest_names(name, known) == near


@pytest.mark.parametrize(
    "name", ["methadone", "fluvoxamine", "aminophyllin", "caffeine", "morphine", "diazepam", "lithobid"]
)
def test_a_medicine_is_never_guessed_by_its_spelling(name: str) -> None:
    """Methadone was once answered with naltrexone, which throws people on methadone into withdrawal."""
    assert nearest_names(name, [one.id for one in load_interactions()]) == []


def test_words_for_a_guess_and_for_none() -> None:
    """Where nothing is near the reader needs the names there are, not an empty question."""
    assert did_you_mean("weekz", ["weeks"]) == "Did you mean weeks?"
    assert did_you_mean(None, ["weeks"], otherwise="Known: weeks.") == "Known: weeks."
    assert known_names(["a", "b"]) == "Known: a, b."
