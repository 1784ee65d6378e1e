"""Mutants of the files that people write: protocols, mappings, scenarios, prices, clinics."""

import copy
import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from remission.library.protocols import protocol_template, protocol_text

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**30, -0.0, 1e308, 0.1, "", " ", "nan", "inf", "-inf", "0x1F", "017", "1_000",
    "12:30", "2024-13-45", "a" * 5000, "9" * 5000, "\u202e", "𝕏", "ä ö", "1 mg/kg", "-5 kg", "5 parsec", "../../etc",
    "a\nb", "=1+1", "%s", "{}", "null", "~", "[", "&a", "*a", "!!int 5", [], {}, [[]], [1, 2], {"a": 1},
    {"low": 5, "high": 1}, [None], [True], {"": ""}, "ketamine", "alcohol",
)  # fmt: skip
PIECES = (
    "", "\n", "  ", "\t", ":", ": ", "- ", "#", "'", '"', "[", "]", "{", "}", "&a ", "*a", "!!str ", "<<: ", "---\n",
    "...\n", "%YAML 1.1\n", "\0", "\a", "\ufeff", "\u2028", "\U0001f600", "9" * 50, "0x", "|", ">", "? ", ",", "\\",
    '"\\UFFFFFFFF"', "\r", "true", "2024-13-45", "[" * 60, "e999",
)  # fmt: skip

MAPPING = """person: id
substance: drug
when: date
when_is: date
amount: drinks
amount_unit: drink
assessed: span
"""
PRICES = """currency: GBP
infusion: {low: 200, high: 300}
assessment: 50
once: 0
therapy: 80
budget: 10000
willingness_to_pay: [10, 50]
"""
SCENARIOS = """scenarios:
  - id: base
  - id: none
    parameters: {gamma: 0, k_m: 0}
designs:
  - id: small
    n_subjects: 60
  - id: large
    n_subjects: 120
replicates: 4
"""
CLINICS = """id,name,country,street,city,region,postal_code,lat,lon,phone,website,care_types,medications,\
ketamine_offered,ketamine_route,therapy_included,medical_monitoring,addiction_experience,payment,languages,npi,\
licence_number,licence_board,last_verified,source,source_url
ex-001,Example Harbor Clinic,US,1 Sample Way,Menlo Park,CA,94025,37.4510,-122.1800,+1-650-555-0100,\
https://clinic.example,outpatient;telehealth,naltrexone,yes,iv;im,required,physician,yes,medicaid;self_pay,en;es,\
1234567893,EX-0000,Example State Board,2026-01-15,operator phone call,
"""


_ADAPTING = protocol_text("dakwar-2020").replace(
    "      - day: 0\n        doses:",
    "      - day: 10\n        adapt: {visit: 7, within_days: 7, dose: 90 mg, duration: 52 min}\n        doses:",
)


def bases() -> dict[str, list[str]]:
    """Whole files of each kind."""
    return {
        "protocol": [
            protocol_template(),
            _ADAPTING,
            *(protocol_text(name) for name in ("kare", "dakwar-2020", "krupitsky-2007", "yoon-2025", "nct04177706")),
        ],
        "mapping": [MAPPING],
        "scenario": [SCENARIOS],
        "price": [PRICES],
        "clinic": [CLINICS],
    }


def mutant(kind: str, base: str, rng: random.Random) -> bytes:
    """A file with faults: of what it says in six of ten, of its text in the others."""
    if kind != "clinic" and rng.random() < 0.6:
        return _in_meaning(base, rng).encode("utf-8", "surrogatepass")
    text = list(base)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((0, 0, 1, 3, 30)))
        text[at:end] = list(rng.choice(PIECES))
    content = "".join(text).encode("utf-8", "surrogatepass")
    match rng.randrange(12):
        case 0:
            at = rng.randrange(len(content) + 1)
            return content[:at] + bytes([rng.randrange(256)]) + content[at:]
        case 1:
            return content[: rng.randrange(len(content) + 1)]
        case 2:
            return "".join(text).encode("utf-16", "surrogatepass")
        case _:
            return content


def _in_meaning(base: str, rng: random.Random) -> str:
    from ruamel.yaml import YAML

    data = YAML(typ="safe", pure=True).load(base)
    for _ in range(rng.randint(1, 3)):
        _change(data, rng)
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(data, stream)
    return stream.getvalue()


def _change(data: Any, rng: random.Random) -> None:
    places: list[tuple[Any, Any]] = []
    waiting = [data]
    while waiting:
        one = waiting.pop()
        items = list(one.items()) if isinstance(one, dict) else list(enumerate(one))
        places += [(one, key) for key, _ in items]
        waiting += [value for _, value in items if isinstance(value, dict | list)]
    if not places:
        return
    owner, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del owner[key]
        case 1 if isinstance(owner, dict):
            owner[str(key)[:-1] or "x"] = owner.pop(key)
        case 2 if isinstance(owner, list):
            owner.append(copy.deepcopy(owner[key]))
        case 3 if isinstance(owner[key], int | float):
            owner[key] = owner[key] * rng.choice((-1, 0, 10, 1e6))
        case _:
            owner[key] = copy.deepcopy(rng.choice(NASTY))


def parses(content: bytes) -> bool:
    """Whether a lenient reader of YAML takes it."""
    from ruamel.yaml import YAML

    try:
        YAML(typ="safe", pure=True).load(content.decode("utf-8"))
    except Exception:  # noqa: BLE001 - whatever it says
        return False
    return True


def readers(place: Path) -> dict[str, Callable[[Path], object]]:
    """What reads a file of each kind, up to what its command would simulate."""
    from datetime import date

    from remission.clinics.files import read_clinics
    from remission.design.costing import read_prices
    from remission.design.scenario_file import read_scenarios
    from remission.exchange.mapping_file import read_mapping
    from remission.exchange.tlfb import read_tlfb
    from remission.library.protocols import load_protocol
    from remission.protocol.explanation import explain_protocol
    from remission.protocol.file import read_protocol
    from remission.trial.simulate import plan_trial

    kare = load_protocol("kare")
    diary = place / "diary.csv"
    diary.write_text("id,drug,date,drinks\n1,Alcohol,2024-03-14,4\n1,Alcohol,2024-03-15,2\n", encoding="utf-8")

    def protocol(path: Path) -> object:
        found = read_protocol(path)
        return explain_protocol(found), plan_trial(found, n_replicates=1, seed=1)

    return {
        "protocol": protocol,
        "mapping": lambda path: read_tlfb(diary, read_mapping(path)),
        "scenario": lambda path: read_scenarios(path, kare),
        "price": lambda path: read_prices(str(path), kare),
        "clinic": lambda path: read_clinics(path, file_format="csv", source_date=None, today=date(2026, 11, 28)),
    }
