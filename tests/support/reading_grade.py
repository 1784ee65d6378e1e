"""How hard a text is to read, by two published formulas over sentences, words and syllables.

English: Flesch-Kincaid grade, ``0.39 words/sentences + 11.8 syllables/words - 15.59``.
Spanish: Fernandez-Huerta ease, ``206.84 - 60 syllables/words - 1.02 words/sentences``; 60 and more is plain.
Packages that count syllables fetch a dictionary from a network or are not free to link, so vowels are counted here:
groups of vowels, without a silent e in English, diphthongs as one in Spanish.
"""

import re

__all__ = ["english_grade", "spanish_ease"]


def _sentences(text: str) -> int:
    return max(1, len(re.findall(r"[.!?:;](?=\s|$)", text)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def english_syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1:
        groups -= 1
    if word.endswith("ed") and not word.endswith(("ted", "ded")) and groups > 1:
        groups -= 1
    return max(1, groups)


def spanish_syllables(word: str) -> int:
    # Two strong vowels, or a stressed weak one beside a strong one, belong to two syllables.
    split = re.sub(r"([aeoáéó])([aeoáéóíú])", r"\1-\2", word)
    split = re.sub(r"([íú])([aeo])", r"\1-\2", split)
    return max(
        1, len(re.findall(r"[aeiouáéíóúü]+", split.replace("qu", "q").replace("gue", "ge").replace("gui", "gi")))
    )


def english_grade(text: str) -> float:
    """School grade that the text asks for."""
    words = _words(text)
    return 0.39 * len(words) / _sentences(text) + 11.8 * sum(map(english_syllables, words)) / len(words) - 15.59


def spanish_ease(text: str) -> float:
    """Ease of reading, 0 (hard) to 100 (easy)."""
    words = _words(text)
    return 206.84 - 60.0 * sum(map(spanish_syllables, words)) / len(words) - 1.02 * len(words) / _sentences(text)
