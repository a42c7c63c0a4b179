"""Personal data in examples: kept with them, shown, confirmed before a freeze, replaced on request."""

import json

import pytest
from django.core.management import CommandError, call_command
from rest_framework.reverse import reverse

from accounts.models import AuditEntry
from common.states import IllegalMove, Refused
from config.journey import frozen
from courses.models import Text
from datasets.freezing import freeze
from datasets.models import Dataset, Example, Version
from datasets.personal import Findings, HoldsPersonal, in_messages, redacted
from tests import factories
from tests.doors import api, pages

ANNA = "Ask Anna Smith, anna@example.org."


def address(name, pk):
    return reverse(f"api:{name}", args=[pk])


@pytest.fixture
def held(dataset):
    """The data set with two examples more, which hold personal data."""
    factories.make_example(dataset=dataset, question="Who knows?", answer=ANNA)
    factories.make_example(
        dataset=dataset, question="What number?", answer="It is +44 20 7946 0958, or ask Anna Smith."
    )
    return dataset


@pytest.fixture
def example(held):
    return held.examples.with_personal().first()


def test_an_example_keeps_what_is_found_with_the_message_that_it_stands_in(example):
    assert Example.objects.get(pk=example.pk).personal == [
        {"message": 1, "kind": "name", "text": "Anna Smith", "start": 4, "end": 14},
        {"message": 1, "kind": "email", "text": "anna@example.org", "start": 16, "end": 32},
    ]


def test_other_words_are_looked_at_anew(example, editor):
    example.rewrite(factories.chat("Who knows?", "The keeper."), by=editor)
    assert Example.objects.get(pk=example.pk).personal == []


def test_what_is_imported_or_built_is_looked_at_too(full_course, owner):
    factories.make_text(
        course=full_course, name="who.md", content=f"# Who?\n\n**Helper**: {ANNA} She helps.\n"
    )
    dataset = factories.make_dataset(course=full_course)
    dataset.build(by=owner)
    assert dataset.examples.with_personal().count() == 1
    line = json.dumps({"messages": factories.chat("Who else?", ANNA)})
    dataset.take_in("a.jsonl", line.encode(), by=owner)
    assert dataset.examples.with_personal().count() == 2


def test_parts_join_on_and_calls_name_their_field():
    call = {
        "id": "anna@example.org",
        "type": "function",
        "function": {"name": "a", "arguments": '{"to": "b@example.org"}'},
    }
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hello. "}, {"type": "text", "text": ANNA}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": "Sent.", "refusal": "Not to c@example.org"},
    ]
    told = [
        (each["message"], each.get("field"), each["text"], each["start"])
        for each in in_messages(messages, "en")
    ]
    assert told == [
        (0, None, "Anna Smith", 11), (0, None, "anna@example.org", 23),
        (1, "tool_calls", "b@example.org", 8), (2, "refusal", "c@example.org", 7),
    ]  # fmt: skip
    clean = redacted(messages, "en")
    assert clean[0]["content"][1] == {"type": "text", "text": "Ask [name], [email]."}
    assert clean[1]["tool_calls"][0] == call | {"function": {"name": "a", "arguments": '{"to": "[email]"}'}}
    assert in_messages(clean, "en") == []


def test_an_example_keeps_fifty_findings_at_most(dataset):
    row = factories.make_example(dataset=dataset, question="Who?", answer=f"{ANNA} " * 60)
    assert len(row.personal) == 50


# The freeze


def test_a_freeze_without_a_word_on_it_is_refused_with_count_kinds_and_numbers(held, owner):
    first, second = held.examples.with_personal()
    with pytest.raises(HoldsPersonal) as refusal:
        freeze(held, by=owner)
    for words in (
        "2 approved examples", "email address: 1", "phone number: 1", "name of a person: 2", f"{first.pk}, {second.pk}",
        "personal_ok",
    ):  # fmt: skip
        assert words in str(refusal.value)
    assert not Version.objects.exists()


def test_a_confirmed_freeze_keeps_the_counts_and_who_confirmed(held, editor):
    version = freeze(held, by=editor, personal_ok=True)
    assert version.checks["personal"] == {"email": 1, "phone": 1, "name": 2}
    entry = AuditEntry.objects.get(action="version.freeze")
    assert (entry.actor, entry.details["personal_ok"]) == (editor, {"email": 1, "phone": 1, "name": 2})


def test_only_three_examples_are_named(held, owner):
    for _turn in range(3):
        factories.make_example(dataset=held, answer=f"{factories.unlike(_turn + 900)} {ANNA}")
    keys = list(held.examples.with_personal().values_list("pk", flat=True))
    with pytest.raises(Refused) as refusal:
        freeze(held, by=owner)
    assert ", ".join(map(str, keys[:3])) in str(refusal.value) and str(keys[3]) not in str(refusal.value)


def test_drafts_and_rejected_ones_do_not_stand_in_the_way(dataset, owner):
    for state in ("draft", "rejected"):
        factories.make_example(dataset=dataset, answer=f"{state} {ANNA}", state=state)
    assert not Findings.of(dataset)
    assert freeze(dataset, by=owner).checks["personal"] == {}


def test_the_instructions_count_as_they_stand_in_every_row(dataset, owner):
    Dataset.objects.filter(pk=dataset.pk).update(instructions="Send them to Anna Smith.")
    dataset.refresh_from_db()
    with pytest.raises(HoldsPersonal, match="The instructions hold personal data"):
        freeze(dataset, by=owner)
    assert freeze(dataset, by=owner, personal_ok=True).checks["personal"] == {"instructions": 1}


def test_the_page_asks_only_where_something_is_found(dataset, owner):
    assert 'name="personal_ok"' not in pages(owner).get(f"/datasets/{dataset.pk}/").content.decode()
    factories.make_example(dataset=dataset, answer=ANNA)
    page = pages(owner).get(f"/datasets/{dataset.pk}/").content.decode()
    assert 'name="personal_ok"' in page and "1 approved example holds personal data" in page
    assert 'href="?state=approved&amp;personal=1"' in page and "training file" in page


def test_the_page_freezes_with_the_tick_and_refuses_without(held, owner):
    fields, to = {"seed": 0, "validation": 0.1, "test": 0.1}, f"/datasets/{held.pk}/versions/new/"
    refused = pages(owner).post(to, fields)
    assert refused.status_code == 400 and "2 approved examples hold" in refused.content.decode()
    assert not Version.objects.exists()
    done = pages(owner).post(to, fields | {"personal_ok": "on"})
    assert done["Location"] == f"/versions/{Version.objects.get().pk}/"
    assert "Frozen with personal data" in pages(owner).get(done["Location"]).content.decode()


@pytest.mark.parametrize("body", [{}, {"personal_ok": False}, {"personal_ok": "no"}])
def test_the_api_refuses_without_personal_ok(held, owner, body):
    answer = api(owner).post(address("versions", held.pk), body, format="json")
    assert answer.status_code == 400 and "personal_ok" in answer.json()["detail"]
    assert not Version.objects.exists()


def test_the_api_freezes_with_personal_ok(held, owner):
    answer = api(owner).post(address("versions", held.pk), {"personal_ok": True}, format="json")
    assert answer.status_code == 201 and answer.json()["checks"]["personal"]["name"] == 2


def test_a_version_of_before_is_still_shown(version, owner):
    Version.objects.filter(pk=version.pk).update(checks={"groups": 1, "near_copies": 0, "across_splits": 0})
    assert pages(owner).get(f"/versions/{version.pk}/").status_code == 200


# Lists and pages


def test_the_list_filters_by_personal_data_and_state(held, example, owner):
    def shown(query):
        page = pages(owner).get(f"/datasets/{held.pk}/{query}")
        return {row.pk for row in page.context["examples"]}

    example.reject(by=owner)
    assert len(shown("?personal=1")) == 2
    assert shown("?personal=1&state=rejected") == {example.pk}
    assert len(shown("?personal=no")) == min(25, held.examples.count())
    assert "personal data: 2" in pages(owner).get(f"/datasets/{held.pk}/?personal=1").content.decode()


def test_the_pages_of_a_filtered_list_stay_filtered(held, owner):
    for number in range(30):
        factories.make_example(dataset=held, answer=f"{factories.unlike(number + 500)} {ANNA}")
    page = pages(owner).get(f"/datasets/{held.pk}/?state=approved&personal=1").content.decode()
    assert "?state=approved&amp;personal=1&amp;page=2" in page


def test_an_example_shows_what_and_where(example, owner):
    page = pages(owner).get(f"/examples/{example.pk}/").content.decode()
    assert '<mark title="name of a person">Anna Smith</mark>' in page
    assert '<mark title="email address">anna@example.org</mark>' in page
    assert "characters 4–14" in page and "Replace with placeholders" in page


def test_marks_do_not_let_markup_through(dataset, owner):
    row = factories.make_example(dataset=dataset, answer="<script>x</script> Anna Smith <b>")
    page = pages(owner).get(f"/examples/{row.pk}/").content.decode()
    assert "<script>x" not in page and "&lt;b&gt;" in page and "Anna Smith</mark>" in page


def test_a_reviewer_sees_the_marks_but_no_button(example, reviewer):
    page = pages(reviewer).get(f"/examples/{example.pk}/").content.decode()
    assert "<mark" in page and "Replace with placeholders" not in page


def test_the_api_lists_each_finding_in_pages(held, reviewer, example):
    answer = api(reviewer).get(address("personal", held.pk), {"page_size": 3}).json()
    assert (answer["count"], len(answer["results"])) == (4, 3) and answer["next"]
    assert answer["results"][0] == {
        "example": example.pk, "state": "approved", "message": 1, "kind": "name", "text": "Anna Smith", "start": 4, "end": 14,
    }  # fmt: skip


def test_the_api_shows_and_filters_them_with_the_examples(held, owner, example):
    assert api(owner).get(address("example", example.pk)).json()["personal"][0]["text"] == "Anna Smith"
    answer = api(owner).get(address("examples", held.pk), {"personal": 1}).json()
    assert [row["id"] for row in answer["results"]] == list(
        held.examples.with_personal().values_list("pk", flat=True)
    )


def test_nobody_writes_them(held, owner, example):
    body = {"messages": factories.chat("Who?", "Nobody."), "personal": [{"kind": "x"}]}
    assert api(owner).patch(address("example", example.pk), body, format="json").json()["personal"] == []


# Placeholders


def test_placeholders_stand_in_place_of_what_was_found_and_nothing_else_changes(example, editor):
    messages = [{"role": "system", "content": "  Be brief.\n"}, *example.messages]
    example.rewrite(messages, by=editor)
    example.approve(by=editor)
    example.redact(by=editor)
    example.refresh_from_db()
    assert example.messages == [*messages[:-1], {"role": "assistant", "content": "Ask [name], [email]."}]
    assert (example.state, example.personal) == ("draft", [])
    assert (
        AuditEntry.objects.filter(action="example.rewrite", object_id=str(example.pk), actor=editor).count()
        == 2
    )


def test_a_russian_course_has_russian_placeholders(owner):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner, language="ru"))
    row = factories.make_example(
        dataset=dataset,
        question="Кому писать?",
        answer="Анне Петровой, anna@почта.рф, 8 (916) 123-45-67.",
        state="draft",
    )
    row.redact(by=owner)
    assert row.answer == "[имя], [почта], [телефон]."


def test_more_than_a_row_keeps_is_replaced_all_the_same(dataset, owner):
    row = factories.make_example(dataset=dataset, answer=f"{ANNA} " * 60)
    row.redact(by=owner)
    assert "Anna" not in row.answer and row.answer.count("[email]") == 60


def test_a_rejected_example_and_one_with_nothing_in_it_are_refused(dataset, example, owner):
    example.reject(by=owner)
    with pytest.raises(IllegalMove, match="is rejected"):
        example.redact(by=owner)
    with pytest.raises(Refused, match="No personal data is found"):
        dataset.examples.exclude(pk=example.pk).first().redact(by=owner)


def test_the_button_and_the_api_do_it(held, editor):
    one, other = held.examples.with_personal()
    there = pages(editor).post(f"/examples/{one.pk}/redact/", follow=True).content.decode()
    assert "Placeholders stand" in there and "<mark" not in there
    answer = api(editor).post(address("redact", other.pk))
    assert (answer.status_code, answer.json()["state"], answer.json()["personal"]) == (200, "draft", [])
    assert api(editor).post(address("redact", other.pk)).status_code == 400
    other.refresh_from_db()
    other.reject(by=editor)
    assert api(editor).post(address("redact", other.pk)).status_code == 409


@pytest.mark.parametrize(
    ("who", "read", "write"),
    [("student", 404, 404), ("stranger", 404, 404), ("reviewer", 200, 403), ("staff", 200, 200)],
)
def test_who_may_what(request, held, example, who, read, write):
    person = request.getfixturevalue(who)
    assert api(person).get(address("personal", held.pk)).status_code == read
    assert api(person).post(address("redact", example.pk)).status_code == write
    example.refresh_from_db()
    example.rewrite(factories.chat("Who knows?", ANNA))
    page = pages(person).post(f"/examples/{example.pk}/redact/").status_code
    assert page == {200: 302}.get(write, write)
    assert pages(person).get(f"/examples/{example.pk}/redact/").status_code == 405


# The command line


def test_the_command_looks_again_at_every_row(held, course, capsys):
    factories.make_text(course=course, name="who.md", content=f"# Who\n\n{ANNA}\n")
    before = list(Example.objects.order_by("pk").values_list("personal", flat=True))
    Example.objects.update(personal=[])
    Text.objects.update(personal=[{"kind": "name", "text": "x", "start": 0, "end": 1}])
    call_command("find_personal")
    assert list(Example.objects.order_by("pk").values_list("personal", flat=True)) == before
    assert [row.source_name for row in Text.objects.with_personal()] == ["who.md"]
    told = capsys.readouterr().out
    assert "with personal data: 1, changed: 6" in told and "with personal data: 2, changed: 2" in told
    call_command("find_personal")
    assert "changed: 0" in capsys.readouterr().out


def test_the_journey_freezes_only_what_is_confirmed_and_approves_nothing_else(dataset, owner):
    factories.make_example(dataset=dataset, answer=ANNA, state="draft")
    with pytest.raises(HoldsPersonal):
        frozen(dataset, owner, 0)
    assert dataset.examples.filter(state="draft").count() == 1
    version = frozen(dataset, owner, 0, personal_ok=True)
    assert version == frozen(dataset, owner, 0)


def test_the_tune_command_warns_and_goes_on_only_with_its_option(tmp_path, owner, capsys):
    for name, text in factories.TEXTS.items():
        (tmp_path / name).write_text(f"{text}\n- **Helper of {name}**: {ANNA} She knows.\n")
    call = ["tune", str(tmp_path), "--owner", owner.email, "--until", "freeze"]
    with pytest.raises(CommandError, match="--personal-ok"):
        call_command(*call)
    assert not Version.objects.exists()
    call_command(*call, "--personal-ok")
    assert "Warning: the training file holds personal data" in capsys.readouterr().out
    assert Version.objects.get().checks["personal"]["email"] == len(factories.TEXTS)
