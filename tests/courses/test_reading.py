"""A file is read right, or refused by its name with what to do: never half read, never an error on our side."""

import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from common.states import Refused
from courses import reading

SENTENCES = [
    "Лампу зажигают за четверть часа до заката.",
    "Колокол отливают из меди и олова одной плавкой.",
    "В туман смотритель стреляет с галереи каждые пять минут!",
    "ГЛАВА ПЕРВАЯ. КАК ЗАЖИГАЮТ ЛАМПУ НА МАЯКЕ",
    "# Печь\n\nПечь топят берёзой трое суток подряд.\n",
    "Мастер (1748 г.) писал: «язык — душа колокола». См. с. 12.",
    "Объём — 24 м³; вес 3/4 пуда, и ещё щепоть ёлочной смолы.",
]


@pytest.mark.parametrize("codec", ["cp1251", "koi8_r", "cp866"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_an_old_russian_text_is_read_right_or_refused_by_name(sentence, codec):
    data = sentence.encode(codec, errors="ignore")
    try:
        text = reading.read("старый.txt", data)
    except Refused as refusal:
        assert "старый.txt" in str(refusal)
        assert "UTF-8" in str(refusal)
    else:
        assert text == data.decode(codec)


@pytest.mark.parametrize("codec", ["cp1251", "koi8_r", "cp866"])
@pytest.mark.parametrize("sentence", SENTENCES[:3])
def test_a_plain_sentence_in_an_old_code_page_is_read(sentence, codec):
    assert reading.read("a.txt", sentence.encode(codec)) == sentence


@pytest.mark.parametrize(
    ("sentence", "codec"),
    [
        ("déjà vu à la mer, près des rochers où naît la lumière", "latin-1"),
        ("Die Wärter zünden die Lampe früh an, über dem Meer", "latin-1"),
        ("El faro guía al navío en la oscuridad más allá del cabo", "latin-1"),
        ("Światło latarni morskiej świeci żółto", "cp1250"),
    ],
)
def test_a_text_of_another_old_code_page_is_refused_and_never_turned_into_russian(sentence, codec):
    with pytest.raises(Refused, match=r"faro\.txt, line 1: not UTF-8"):
        reading.read("faro.txt", sentence.encode(codec))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_its_mark_or_without(codec):
    text = "# Lamp\n\nЛампу зажигают before sunset 🙂.\n"
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(codec, b"")
    assert reading.read("a.md", mark + text.encode(codec)) == text


@pytest.mark.parametrize(("ends", "line"), [("\r\n", 3), ("\r", 3), ("\n", 3)])
def test_line_ends_of_any_kind_become_one(ends, line):
    text = reading.read("a.md", f"# Lamp{ends}{ends}It burns oil.{ends}".encode())
    assert text == "# Lamp\n\nIt burns oil.\n"


def test_separators_inside_a_line_are_kept_and_end_no_line():
    text = "one\u2028two\u2029three\u0085four"
    assert reading.read("a.md", text.encode()) == text


@pytest.mark.parametrize("data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n", b"\x00\x00\x00"])
def test_an_empty_file_is_said_to_be_empty(data):
    with pytest.raises(Refused, match=r"lamp\.md is empty"):
        reading.read("lamp.md", data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"\xfe\xff",
        b"- - -\n***\n",
        "\u200b\u200b".encode(),
        "🙂🙂".encode(),
        "\ufeff\ufeff".encode(),
    ],
)
def test_a_file_without_a_letter_is_refused(data):
    with pytest.raises(Refused, match=r"lamp\.md"):
        reading.read("lamp.md", data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00word/document.xml",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00\x00\x00",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03lamp",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n\x00\x01\x02",
        b"The lamp\x00 burns oil",
        bytes(range(256)) * 16,
        "The lamp".encode("utf-16-le"),
    ],
    ids=["png", "docx", "doc", "gzip", "pdf", "nul", "all bytes", "utf-16 without its mark"],
)
def test_a_binary_file_renamed_is_refused_by_name(data):
    with pytest.raises(Refused, match=r"lamp\.txt"):
        reading.read("lamp.txt", data)


@pytest.mark.parametrize(
    "mark", ["\x01", "\x07", "\x08", "\x0b", "\x0c", "\x1b[31m", "\x1f", "\x7f", "\x00", "\uffff"]
)
def test_a_control_character_is_refused_with_its_line(mark):
    text = "# Lamp\n\nIt burns oil.\n" + "ballast " * 2000 + f"\nhere {mark} it is\n"
    with pytest.raises(Refused, match=r"lamp\.md, line 5: a control character"):
        reading.read("lamp.md", text.encode())


def test_bytes_that_are_not_utf_8_are_refused_with_their_line():
    with pytest.raises(Refused, match=r"lamp\.md, line 3: not UTF-8"):
        reading.read("lamp.md", b"The lamp\nburns\noil \xff\xfe\xc0 here\n")


@pytest.mark.parametrize(
    "data", [b"\xc0\xaf overlong", b"\xed\xa0\x80 half a pair", b"\xff\xfe\x00\xd8", b"\xff\xfea"]
)
def test_broken_unicode_is_refused(data):
    with pytest.raises(Refused, match=r"lamp\.md"):
        reading.read("lamp.md", data)


@pytest.mark.parametrize(
    "name", ["lamp.pdf", "lamp.docx", "lamp", ".md", "lamp.md.exe", "lamp.html", "", "lamp.MDX"]
)
def test_another_extension_is_refused_with_the_ones_that_can_be_read(name):
    with pytest.raises(Refused, match=r"\.md and \.txt") as refusal:
        reading.kind_of(name)
    assert str(refusal.value).startswith(f"{name}:")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.md", "markdown"),
        ("A.MD", "markdown"),
        ("a.markdown", "markdown"),
        ("a.b.txt", "plain"),
        ("Глава 1.TXT", "plain"),
    ],
)
def test_an_extension_tells_the_kind(name, kind):
    assert reading.kind_of(name) == kind


def test_fifty_megabytes_are_refused_with_size_and_limit():
    with pytest.raises(Refused, match=r"long\.md: 50\.0.MB is over the limit of 10\.0.MB"):
        reading.read("long.md", b"lamp " * 10 * 1024**2)


def test_the_limit_is_a_setting(settings):
    settings.MAX_TEXT_BYTES = 10
    assert reading.read("a.md", b"0123456 89") == "0123456 89"
    with pytest.raises(Refused, match="over the limit"):
        reading.read("a.md", b"0123456 890")


@given(some.binary(max_size=400))
@example(b"\xff\xfe\x00")
@example("Привет".encode("cp1251"))
def test_any_bytes_at_all_are_a_clean_text_or_a_refusal(data):
    try:
        text = reading.read("any.txt", data)
    except Refused as refusal:
        assert "any.txt" in str(refusal)
    else:
        text.encode()
        assert "\x00" not in text and "\r" not in text and not text.startswith("\ufeff")


@given(
    some.text(
        some.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufeff\ufffe\uffff"),
        min_size=1,
    )
)
def test_any_utf_8_text_with_a_letter_comes_back_as_it_was(text):
    text = f"a{text}"
    assert reading.read("a.md", text.encode()) == text
