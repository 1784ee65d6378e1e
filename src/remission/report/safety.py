"""Lines that stand on every report, whatever was simulated."""

__all__ = ["ESTABLISHED", "ESTABLISHED_ALL", "SAFETY_LINES"]

SAFETY_LINES = (
    (
        "Stopping alcohol or sedatives suddenly can kill. Get medical help before stopping. A fit, confusion, "
        "hallucinations or fever after stopping: call the emergency number now."
    ),
    "After time without opioids tolerance falls, and a dose that was usual can be deadly. Keep naloxone at hand.",
)

_FORM = "Established treatments of {disorder} stand beside anything shown here: {treatments}. {ketamine}"
_OFF_LABEL = "Ketamine is off-label for every substance use disorder."
_NO_MEDICINE = "No medicine is approved; ketamine is off-label."

_TREATMENTS = (
    ("alcohol", "alcohol use disorder", "naltrexone, acamprosate, talking treatments", _OFF_LABEL),
    ("opioid", "opioid use disorder", "methadone, buprenorphine, extended-release naltrexone", _OFF_LABEL),
    ("nicotine", "nicotine dependence", "varenicline, nicotine replacement, bupropion, counseling", _OFF_LABEL),
    ("cocaine", "cocaine use disorder", "contingency management, cognitive behavioral therapy", _NO_MEDICINE),
    (
        "cannabis",
        "cannabis use disorder",
        "cognitive behavioral therapy with motivational enhancement, contingency management",
        _NO_MEDICINE,
    ),
    (
        "methamphetamine",
        "methamphetamine use disorder",
        "contingency management, cognitive behavioral therapy",
        _NO_MEDICINE,
    ),
)
_EACH = "; ".join(f"{disorder}: {treatments}" for _, disorder, treatments, _ in _TREATMENTS)
ESTABLISHED_ALL = f"Established treatments stand beside anything shown here. For {_EACH}. {_OFF_LABEL}"
"""Where no substance is known."""
ESTABLISHED = {
    substance: _FORM.format(disorder=disorder, treatments=treatments, ketamine=ketamine)
    for substance, disorder, treatments, ketamine in _TREATMENTS
}
"""Sources: the guidelines and reviews of the standard-care registry; no numbers here."""
