"""How near an answer comes to the reference, 0 to 100, for any language that has letters."""

import random
import re
from collections import Counter
from functools import cache

from sacrebleu.metrics import CHRF

WORD = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")
RESAMPLES = 2000


@cache
def _chrf():
    return CHRF()


def chrf(answer: str, reference: str) -> float:
    """Character n-gram F-score, chrF2 as in sacrebleu (Popović 2015): needs no words, so no language is cheated."""
    return _chrf().sentence_score(answer, [reference]).score if answer.strip() else 0.0


def words(text: str) -> list[str]:
    """Whole words of any script, in small letters; a hyphenated word is one, a digit group is one."""
    return WORD.findall(text.casefold().replace("ё", "е"))


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over the bag of words, as for SQuAD."""
    told, wanted = Counter(words(answer)), Counter(words(reference))
    shared = (told & wanted).total()
    return 200 * shared / (told.total() + wanted.total()) if shared else 0.0


METRICS = {"chrf": chrf, "token_f1": token_f1}


def scores(answer: str, reference: str) -> dict[str, float]:
    return {name: round(metric(answer, reference), 2) for name, metric in METRICS.items()}


def interval(differences: list[float], seed=0, level=0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean paired difference (Efron 1979), the same for the same seed."""
    draw, count = random.Random(seed), len(differences)
    means = sorted(sum(draw.choices(differences, k=count)) / count for _turn in range(RESAMPLES))
    tail = int(RESAMPLES * (1 - level) / 2)
    return means[tail], means[-tail - 1]
