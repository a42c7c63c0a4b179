"""How near an answer comes to its reference, and how sure a mean difference is."""

from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as some

from evaluation.scoring import METRICS, chrf, interval, scores, token_f1, words

DIFFERENCES = [4.0, -1.5, 9.0, 3.5, 0.0, 7.5, -2.0, 5.0]


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [  # as sacrebleu 2.6.0 says on its command line: chrF2, six characters, no words
        ("The cat sat.", "The cat sat on the mat.", 49.2607),
        ("Лампа горит.", "Лампа горит всю ночь.", 53.5406),
        ("The lens turns.", "The lens turns.", 100),
        ("xyz", "Лампа", 0),
    ],
)
def test_chrf_is_that_of_sacrebleu(answer, reference, score):
    assert chrf(answer, reference) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("the lamp burns oil", "the lamp burns rape oil", 200 * 4 / 9),
        ("oil oil oil", "oil", 50),
        ("ещё мёд", "еще мед", 100),
        ("ЛАМПА", "лампа", 100),
        ("кто-нибудь", "кто нибудь", 0),
        ("кто-нибудь пришёл", "Кто-нибудь пришел?", 100),
        ("«Лампа» — горит!", "лампа горит", 100),
    ],
)
def test_token_f1_is_the_harmonic_mean_over_whole_words(answer, reference, score):
    assert token_f1(answer, reference) == pytest.approx(score)


def test_words_are_those_of_any_script():
    assert words("Кто-то don't say: 42 lamps_of Ёлка") == [
        "кто-то",
        "don't",
        "say",
        "42",
        "lamps",
        "of",
        "елка",
    ]


def test_unrelated_russian_sentences_are_far_apart_by_either_measure():
    told = scores("Смотритель заводит часы вручную.", "Призма преломляет луч к горизонту.")
    assert told["chrf"] < 20 and told["token_f1"] < 20


@pytest.mark.parametrize("text", ["Лампа горит.", "Wind it up by hand.", "灯 塔", "7"])
def test_the_reference_itself_has_the_full_score(text):
    assert scores(text, text) == {"chrf": 100, "token_f1": 100}


@pytest.mark.parametrize("silence", ["", "   ", "\n"])
def test_an_empty_answer_has_none(silence):
    assert scores(silence, "The lamp burns oil.") == {"chrf": 0, "token_f1": 0}


@given(some.text(), some.text())
def test_every_score_lies_between_0_and_100(answer, reference):
    told = scores(answer, reference)
    assert set(told) == set(METRICS)
    assert all(0 <= score <= 100 for score in told.values())


@given(some.text(), some.text())
def test_token_f1_does_not_mind_which_side_is_the_reference(one, other):
    assert token_f1(one, other) == token_f1(other, one)


def test_the_interval_holds_the_mean():
    low, high = interval(DIFFERENCES)
    assert low < mean(DIFFERENCES) < high


def test_the_interval_is_the_same_for_the_same_seed_and_another_for_another():
    assert interval(DIFFERENCES, seed=1) == interval(DIFFERENCES, seed=1)
    assert interval(DIFFERENCES, seed=1) != interval(DIFFERENCES, seed=2)


def test_more_data_make_the_interval_narrower():
    few, many = interval(DIFFERENCES), interval(DIFFERENCES * 16)
    assert many[1] - many[0] < (few[1] - few[0]) / 2


def test_less_confidence_makes_the_interval_narrower():
    sure, unsure = interval(DIFFERENCES, level=0.95), interval(DIFFERENCES, level=0.5)
    assert sure[0] < unsure[0] < unsure[1] < sure[1]


@given(some.lists(some.floats(-100, 100), min_size=1, max_size=5))
def test_the_interval_leaves_the_range_of_the_data_at_neither_end(differences):
    low, high = interval(differences)
    assert min(differences) - 1e-9 <= low <= high <= max(differences) + 1e-9
