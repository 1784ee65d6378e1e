"""Weekly words read sign by sign, as the published definitions say: a second program for the first one's results.

One function a definition, on one word of text, with nothing shared with ``remission.endpoints`` but the five signs.
"""

from collections.abc import Callable

__all__ = ["DEFINITIONS", "TIMES"]

Reader = Callable[[str], float]


def strict(word: str) -> str:
    return word.replace("o", "+").replace("*", "+")


def present(word: str) -> str:
    return word.replace("o", "")


def share(word: str, sign: str, first: int = 1, last: int | None = None) -> float:
    """Share of a sign, mixed weeks a half; 0 of nothing, as in CTNote."""
    part = word[first - 1 : last]
    return (part.count(sign) + 0.5 * part.count("*")) / len(part) if part else 0.0


def count(word: str, sign: str, first: int = 1, last: int | None = None) -> float:
    part = word[first - 1 : last]
    return part.count(sign) + 0.5 * part.count("*")


def stayed(word: str) -> int:
    return len(word.rstrip("o"))


def first_span(word: str, sign: str, need: int, width: int) -> tuple[float, float]:
    spans = [word[at : at + width] for at in range(len(word) - width + 1)]
    for at, span in enumerate(spans):
        if span.count(sign) >= need:
            return at + 1 + width - need, 1.0
    return len(spans) + width - need, 0.0


def later(found: tuple[float, float], weeks: int) -> tuple[float, float]:
    return found[0] + weeks, found[1]


def thinned(word: str, weeks: set[int], length: int, *, carry: bool) -> str:
    seen = ""
    for week in range(1, length + 1):
        sign = word[week - 1] if week <= len(word) else "o"
        if week in weeks:
            seen += sign
        elif carry:
            seen += seen[-1]
    return seen


def neighbors(word: str) -> str:
    size = {"+": 1.0, "*": 0.5, "-": 0.0}
    out = list(word)
    for at in range(1, len(word) - 1):
        if word[at] == "o" and word[at - 1] in size and word[at + 1] in size:
            mean = (size[word[at - 1]] + size[word[at + 1]]) / 2
            out[at] = min("+*-", key=lambda sign: abs(size[sign] - mean))  # the first of equals
    return "".join(out)


def usual(word: str) -> str:
    more = word.count("+") + word.count("*") >= word.count("-")
    return word.replace("o", "+" if more else "-")


def weighed(word: str, weights: dict[str, float], penalty: list[float]) -> float:
    if stayed(word) <= 3:
        return 0.0
    signs = "".join(word[at % len(word)] for at in range(len(penalty)))
    used = sum(weights[sign] * (pay if sign in "+*" else 1.0) for sign, pay in zip(signs, penalty, strict=True))
    return 120.0 - 120.0 * used / sum(max(weights["+"] * pay, weights["o"]) for pay in penalty)


def ling(word: str) -> float:
    return weighed(word, {"+": 1.0, "*": 0.5, "o": 0.22, "-": 0.0}, [1.0 + at // 3 for at in range(15)])


def ling_smooth(word: str) -> float:
    weeks = min(len(word), 15)
    rising = [1.0 + 4.0 * at / max(weeks - 1, 1) for at in range(weeks)]
    return weighed(word, {"+": 0.8, "*": 0.4, "o": 1.0, "-": 0.0}, rising)


def lofwall_abstinent(word: str) -> float:
    seen = thinned(strict(word), {1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15}, 15, carry=True)
    return float(seen[4:7].count("-") / 3 >= 2 / 3 and seen[7] == "-" and seen[8:15].count("-") / 7 >= 5 / 6)


def longest(word: str) -> float:
    return float(max(len(run) for run in word.split("+")))


DEFINITIONS: dict[str, Reader] = {
    "ctn0094-abstinence": lambda w: any(
        w.replace("*", "+")[11:15] == p for p in ("----", "o---", "-o--", "--o-", "---o")
    ),
    "fiellin-2006-abstinent-weeks": lambda w: strict(w).count("-"),
    "kosten-1993-abstinence": lambda w: "---" in w,
    "krupitsky-2011-abstinence": lambda w: share(strict(w), "+", 5, 15) == 0.0,
    "krupitsky-2011-abstinent-weeks": lambda w: count(strict(w), "-", 5, 15),
    "ling-1998-abstinence": lambda w: "----" in w,
    "lofwall-2018-abstinence": lofwall_abstinent,
    "schottenfeld-2005-longest-abstinence": lambda w: longest(present(w).replace("*", "+")),
    "schottenfeld-2008-longest-abstinence": lambda w: longest(strict(w)),
    "weiss-2011-abstinence": lambda w: strict(w)[-1] == "-" and strict(w)[-4:-1].count("+") <= 1,
    "schwartz-2006-abstinence": lambda w: count(w, "-", 15, 15) == 1,
    "johnson-1992-relapse": lambda w: "++" in strict(w)[3:],
    "krupitsky-2004-relapse": lambda w: "+++" in strict(w),
    "comer-2006-negative": lambda w: 100 * share(w, "-", 1, 8),
    "eissenberg-1997-abstinence": lambda w: stayed(w) >= 15 and "----" in neighbors(w)[:15],
    "fiellin-2006-negative": lambda w: 100 * share(w, "-"),
    "fudala-2003-negative": lambda w: 100 * share(present(w), "-"),
    "haight-2019-negative": lambda w: 100 * share(w, "-", 5, 15),
    "jaffe-1972-negative": lambda w: 100 * share(usual(w), "-") if stayed(w) >= 8 else 0.0,
    "johnson-1992-negative": lambda w: 100 * share(w, "-"),
    "kosten-1993-response": lambda w: share(present(w), "-", 1, 15) >= 0.7,
    "ling-1998-negative": lambda w: 100 * share(present(w), "-", 1, 15),
    "ling-1998-score": lambda w: count(w, "-", 1, 15),
    "ling-2010-negative": lambda w: 100 * share(w, "-", 1, 15),
    "ling-1976-index": ling,
    "ling-1976-index-smooth": ling_smooth,
    "lofwall-2018-negative": lambda w: (
        100 * share(thinned(w.replace("o", "+"), {1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15}, 15, carry=True), "-")
    ),
    "mattick-2003-negative-while-retained": lambda w: 100 * share(w[: stayed(w)], "-"),
    "mattick-2003-negative": lambda w: 100 * share(w, "-", 1, 13),
    "pani-2000-negative-of-given": lambda w: 100 * share(present(w), "-"),
    "pani-2000-negative-of-planned": lambda w: 100 * share(w, "-"),
    "petitjean-2001-not-positive": lambda w: 100 * (1 - share(w.replace("o", "+"), "+")),
    "preston-2000-negative": lambda w: 100 * share(w, "-", 1, 13),
    "schottenfeld-2005-negative": lambda w: 100 * share(present(w), "-"),
    "shufman-1994-not-positive": lambda w: 100 * (1 - share(w, "+")),
    "soyka-2008-not-positive": lambda w: 100 * (1 - share(present(w), "+")),
    "strain-1993-not-positive": lambda w: 100 * (1 - share(w, "+", 6, 15)),
    "strain-1994-not-positive": lambda w: 100 * (1 - share(present(w), "+")),
    "strain-1996-not-positive": lambda w: 100 * (1 - share(present(w), "+")),
    "strain-1999-not-positive": lambda w: 100 * (1 - share(present(w), "+")),
    "strang-2010-response": lambda w: share(w[-12:], "-") >= 0.5,
    "strang-2019-negative": lambda w: 100 * share(w, "-", 1, 12),
    "tanum-2017-negative": lambda w: 100 * share(w[: stayed(w)], "-"),
    "wolstein-2009-negative": lambda w: 100 * share(present(w), "-"),
    "woody-2008-not-positive": lambda w: (
        100 * (1 - share(thinned(w, {4, 8, 12}, 12, carry=False).replace("o", "+"), "+"))
    ),
    "zaks-1972-negative-weeks": lambda w: len(present(w)) - count(present(w), "+"),
}

TIMES: dict[str, Callable[[str], tuple[float, float]]] = {
    "mokri-2016-initial-abstinence": lambda w: first_span(strict(w), "+", 1, 1),
    "schottenfeld-2008-initial-abstinence": lambda w: first_span(strict(w), "+", 1, 1),
    "shufman-1994-initial-abstinence": lambda w: first_span(w.replace("o", "-").replace("*", "+"), "+", 1, 1),
    "ctn0094-relapse": lambda w: first_span(strict(w), "+", 4, 4),
    "ctn0094-dropout": lambda w: first_span(w, "o", 4, 4),
    "lee-2016-relapse": lambda w: first_span(strict(w), "+", 2, 4),
    "lee-2018-relapse": lambda w: later(first_span(strict(w)[2:], "+", 4, 4), 2),
    "schottenfeld-2008-relapse": lambda w: first_span(strict(w), "+", 3, 3),
}
