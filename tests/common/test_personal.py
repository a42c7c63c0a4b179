"""Emails, phone numbers and names: what is flagged, what is not, and that no input breaks the search."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common import personal
from common.personal import find, kept, pieces, redacted

FLAGGED = [
    # language, text, what is found
    ("en", "Write to anna.smith@example.org today.", ["anna.smith@example.org"]),
    ("en", "Mail: <bob+course@mail.school.co.uk>, or call.", ["bob+course@mail.school.co.uk"]),
    ("en", "[write](mailto:carla@example.com)", ["carla@example.com"]),
    ("en", "zoë@müller.example and 用户@例子.广告", ["zoë@müller.example", "用户@例子.广告"]),
    ("en", "At xn--e1afmkfd.xn--p1ai: post@xn--e1afmkfd.xn--p1ai", ["post@xn--e1afmkfd.xn--p1ai"]),
    ("ru", "Почта: иван@почта.рф.", ["иван@почта.рф"]),
    ("ru", "пишите на ivan_petrov@mail.ru,срочно", ["ivan_petrov@mail.ru"]),
    ("en", "Call +1 (212) 555-2368 tonight.", ["+1 (212) 555-2368"]),
    ("en", "Call 212-555-2368.", ["212-555-2368"]),
    ("en", "Phone: (212) 555-2368", ["(212) 555-2368"]),
    ("en", "tel. 2125552368", ["2125552368"]),
    ("en", "Ring 020 7946 0958 after six.", ["020 7946 0958"]),
    ("en", "From abroad +44 20 7946 0958 or +49 30 901820.", ["+44 20 7946 0958", "+49 30 901820"]),
    ("en", "1-800-356-9377 is free", ["1-800-356-9377"]),
    ("ru", "Звоните: 8 (916) 123-45-67", ["8 (916) 123-45-67"]),
    ("ru", "тел. +7 495 123-45-67, доб. 12", ["+7 495 123-45-67"]),
    ("ru", "8-800-555-35-35, бесплатно", ["8-800-555-35-35"]),
    ("ru", "мой номер 89161234567", ["89161234567"]),
    ("ru", "8 916 123 45 67", ["8 916 123 45 67"]),
    ("ru", "(495) 123-45-67", ["(495) 123-45-67"]),
    ("en", "Ask Anna Smith about it.", ["Anna Smith"]),
    ("en", "John F. Kennedy spoke.", ["John F. Kennedy"]),
    ("en", "Mary Jane Watson met Anna Maria Lopez.", ["Mary Jane Watson", "Anna Maria Lopez"]),
    ("en", "Jean-Paul Martin's essay", ["Jean-Paul Martin"]),
    ("en", "Sergei Petrov and Olga Ivanova", ["Sergei Petrov", "Olga Ivanova"]),
    ("en", "Priya Sharma came late.", ["Priya Sharma"]),
    ("en", "Dr. Watson and Mrs Hudson came.", ["Watson", "Hudson"]),
    ("en", "Mr. O'Brien, Prof. McDonald", ["O'Brien", "McDonald"]),
    ("en", "the student Carlos Ruiz and student Miller", ["Carlos Ruiz", "Miller"]),
    ("en", "**Anna Smith** wrote _Peter Brown_", ["Anna Smith", "Peter Brown"]),
    ("en", "Grace Kelly, not grace", ["Grace Kelly"]),
    ("ru", "Ивана Петровича Сидорова спросили.", ["Ивана Петровича Сидорова"]),
    ("ru", "С Сидоровым Иваном Петровичем говорили.", ["Сидоровым Иваном Петровичем"]),
    ("ru", "Спросите у Анны Ивановой или Марии Ивановны.", ["Анны Ивановой", "Марии Ивановны"]),
    ("ru", "Вера Павлова и Надежда Крупская", ["Вера Павлова", "Надежда Крупская"]),
    ("ru", "Льву Николаевичу Толстому", ["Льву Николаевичу Толстому"]),
    ("ru", "А. С. Пушкин, Пушкин А.С., В.И. Ленин", ["А. С. Пушкин", "Пушкин А.С.", "В.И. Ленин"]),
    ("ru", "г-н Сидоров и г-жа Кац", ["Сидоров", "Кац"]),
    ("ru", "проф. Преображенский ждёт", ["Преображенский"]),
    ("ru", "студентку Кузнецову и студента Иванова", ["Кузнецову", "Иванова"]),
    ("ru", "Автор Anna Smith, anna@example.org", ["Anna Smith", "anna@example.org"]),
    ("en", "Her teacher was Анна Петрова.", ["Анна Петрова"]),
]
LEFT = [
    ("en", "Follow @anna and @bob_smith."),
    ("en", "@pytest.mark.django_db\n@app.route('/')"),
    ("en", "ssh root@localhost and scp user@host:file ."),
    ("en", "git clone git@github.com:owner/repo.git"),
    ("en", "postgres://user:secret@db.example.org/base"),
    ("en", "a@b, @@@@, foo@.org, foo@bar, @"),
    ("en", "In 1914-1918 and 1939–1945."),
    ("en", "On 2024-11-25 10:30:12, 25.11.2024, 11/25/2024"),
    ("en", "It took 1,234,567,890 tokens, or 1234567890."),
    ("en", "2 125 552 368 bytes and 12 345 678 rows"),
    ("en", "ISBN 978-0-306-40615-7, ISBN-10 0-306-40615-2"),
    ("en", "Order 212-555-2368 was paid."),
    ("en", "192.168.100.200 and 3.14159265358979"),
    ("en", "id 12345678-1234-1234-1234-123456789012"),
    ("en", "$1234567890 or 1234567890 USD"),
    ("ru", "Это 8 916 123 рубля 45 копеек, 1 234 567 890 ₽"),
    ("ru", "ИНН 7707083893, СНИЛС 112-233-445 95"),
    ("ru", "с 12.03.2024 по 14.03.2025, 20241125103012"),
    ("en", "The lamp burns. Aye, keeper, the First Keeper trims it."),
    ("en", "On Monday April Showers fall in New York."),
    ("en", "Grant Applications, Mark Scheme, Will Power, Summer School"),
    ("en", "Victoria Street, Charlotte Airport and James Cook University"),
    ("en", "St. George Island and Lake Victoria Shores"),
    ("en", "Louis XIV and Elizabeth II ruled."),
    ("en", "Student Support is open, the student Union too."),
    ("en", "# Paul Feeds The Lamp\n"),
    ("en", "Ask Daniel. Then Anna went."),
    ("en", "The Second World War and the French Revolution"),
    ("en", "Bayes Theorem, Newton's Second Law"),
    ("ru", "Вера в людей и Надежда на лучшее, Слава Богу"),
    ("ru", "Роман Толстого хорош, роман Пушкина тоже."),
    ("ru", "улица Льва Толстого, театр имени Александра Пушкина"),
    ("ru", "Нижний Новгород, Великий Устюг, Орёл Решка"),
    ("ru", "Студент Университета, студенты Москвы, доктор Наук"),
    ("ru", "Мастер Чеканный отлил Тихую Окуневку в Мае."),
    ("ru", "А. Введение. Б. Вывод. Май Июнь"),
    ("ru", "Великая Отечественная Война и Октябрьская Революция"),
    ("ru", "Иван пришёл. Петров ушёл."),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "expected"), FLAGGED)
def test_flagged(language, text, expected):
    assert [each.text for each in find(text, language)] == expected


@pytest.mark.parametrize(("language", "text"), LEFT)
def test_left_alone(language, text):
    assert find(text, language) == []


def test_each_is_called_by_its_kind():
    text = "Anna Smith, anna@example.org, +44 20 7946 0958"
    assert [each.kind for each in find(text, "en")] == ["name", "email", "phone"]


def test_a_number_of_another_country_is_found_by_its_plus_only():
    assert find("8 (916) 123-45-67", "en") == []
    assert find("+7 (916) 123-45-67", "en") and find("8 (916) 123-45-67", "ru")


def test_in_a_language_without_regions_international_numbers_are_found():
    assert [each.text for each in find("212-555-2368, +49 30 901820", "de")] == ["+49 30 901820"]


def test_a_row_keeps_fifty_at_most():
    assert len(kept("Anna Smith, " * 80, "en")) == 50
    assert kept("Anna Smith", "en") == [{"kind": "name", "text": "Anna Smith", "start": 0, "end": 10}]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Ask Dr. Anna Smith <a@example.org>!\n", "Ask Dr. [name] <[email]>!\n"),
        ("ru", "Позвоните Анне Петровой: 8 (916) 123-45-67", "Позвоните [имя]: [телефон]"),
        ("de", "Anna Smith", "[name]"),
        ("en", "  Nothing\there. ", "  Nothing\there. "),
    ],
)
def test_redaction_leaves_all_else_as_it_was(language, text, expected):
    assert redacted(text, language) == expected


def test_pieces_join_to_the_text_and_mark_what_is_found():
    text = "Ask Anna Smith, a@example.org."
    cut = pieces(text, kept(text, "en"))
    assert "".join(piece for piece, _kind in cut) == text
    assert [piece for piece, kind in cut if kind] == ["Anna Smith", "a@example.org"]


def test_pieces_of_a_passage_count_from_where_it_begins():
    text = "Anna Smith wrote. Ask Anna Smith."
    cut = pieces(text[6:], kept(text, "en"), 6)
    assert [piece for piece, kind in cut if kind] == ["mith", "Anna Smith"]


DEMO = Path(__file__).parents[2] / "demo" / "lighthouse"
WORDS = ["Anna", "Smith", "Dr", "Prof.", "Mr.", "студент", "г-н", "Иван", "Петрович", "Сидорова", "А.", "С.", "J.", "Day",
         "a@example.org", "@", "+7", "8", "(916)", "123-45-67", "212-555-2368", "1914-1918", "#", "\n", "\x00", "\u202e",
         "🙂", "’", "-", ".", ":", "://", "may", "O'Brien", "é"]  # fmt: skip
TEXTS = some.one_of(
    some.text(max_size=200),
    some.lists(some.sampled_from(WORDS), max_size=25).map(" ".join),
    some.lists(some.sampled_from(WORDS), max_size=25).map("".join),
)


@given(text=TEXTS, language=some.sampled_from(["en", "ru", "de", ""]))
def test_offsets_always_name_the_text_and_never_overlap(text, language):
    last = 0
    for each in find(text, language):
        assert text[each.start : each.end] == each.text != ""
        assert each.start >= last
        last = each.end


@given(text=TEXTS, language=some.sampled_from(["en", "ru"]))
def test_in_what_is_redacted_nothing_is_found(text, language):
    assert find(redacted(text, language), language) == []


@given(text=TEXTS)
def test_pieces_never_lose_a_letter(text):
    assert "".join(piece for piece, _kind in pieces(text, kept(text, "en"))) == text


RANDOM = random.Random(4)
HOSTILE = {
    "at signs": "@",
    "local parts": "a@",
    "letters": "a",
    "dots": "a.",
    "one domain": "a@" + "b." * 50 + " ",
    "digits": "1",
    "digits apart": "1 ",
    "digits and a letter": "1" * 300 + "a",
    "plus signs": "+1",
    "brackets": "((",
    "NUL": "\x00",
    "right to left": "\u202e\u200f",
    "emoji": "🙂",
    "half a pair": "\ud800",
    "capitalised": "Aa ",
    "first names": "Anna ",
    "Russian first names": "Анна ",
    "initials": "А.",
    "titles": "Mr ",
    "a heading": "# Aa",
    "blanks": " ",
    "noise": "".join(RANDOM.choice("aA@. Анна\n#1+-(") for _turn in range(5000)),
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_anything_is_searched_in_time_that_grows_no_faster_than_it(unit):
    def seconds(size):
        text = (unit * (size // len(unit) + 1))[:size]
        begun = time.process_time()
        assert all(text[each.start : each.end] == each.text for each in find(text, "ru"))
        return time.process_time() - begun

    seconds(10_000)
    assert seconds(1_000_000) < max(1.0, 30 * seconds(100_000))


def test_the_demo_texts_are_searched_faster_than_a_page_is_made():
    text = "".join(path.read_text() for path in sorted(DEMO.glob("*.md")))
    find(text, "en")
    begun = time.process_time()
    found = find(text, "en")
    assert time.process_time() - begun < 0.1
    assert [each.text for each in found] == ["Tamsin Vell"]
    assert personal.kinds(kept(text, "en")) == ["name"]
