"""One dictionary of names: what a state or a quantity is called, and what it means, in figures, tables and pages."""

from typing import NamedTuple

__all__ = ["STATE_LABELS", "Label", "state_label"]


class Label(NamedTuple):
    """A short name, and a sentence for the reader who asks."""

    name: str
    help: str


STATE_LABELS = {
    "P": Label("plasticity window P", "How far the learning window is open after a dose."),
    "G": Label(
        "glutamate efficacy G", "Strength of synapses; lowered in the disorder, raised while the window is open."
    ),
    "S": Label("serotonin tone S", "A fast trace after a dose; weak evidence."),
    "H": Label("habit H", "Pull of the learned habit, 0 to 1."),
    "R": Label("natural reward R", "Motivation for ordinary rewards, 0 to 1; recovers within weeks."),
    "A": Label("load A", "Load of the last weeks of use, 0 to 1."),
    "F": Label("fast trace F", "Trace of the last days of use, 0 to 1."),
    "W": Label("withdrawal W", "Load that recent use no longer covers, 0 to 1."),
    "N": Label("negative affect N", "Anxiety, irritability, low mood; no unit."),
    "L": Label("skill L", "Skill learned in therapy, 0 to 1."),
    "M": Label("commitment M", "Resolve and self-efficacy, 0 to 1; falls on a use day."),
    "K": Label("control K", "Pull of the prefrontal cortex against use, in log odds."),
    "x": Label("cues x", "Cues and stress of the day; no unit."),
    "z": Label("craving z", "Urge to use; no unit."),
    "E": Label("in an episode E", "Share of people inside an episode of use."),
    "D": Label("drift D", "What the last weeks add to the log odds of use, for reasons outside of the chain."),
}


def state_label(symbol: str) -> str:
    """The name of a state."""
    return STATE_LABELS[symbol].name
