"""Before the button: what a training will do, when, and for how much."""

from datetime import timedelta

import pytest
from django.utils import timezone

from finetuning.models import Job
from finetuning.preview import preview
from providers.models import Budget
from tests import factories
from tests.doors import api, pages


def asked(person, version, **body):
    return pages(person).post(f"/versions/{version.pk}/train/preview/", body).content.decode()


def test_the_sentence_says_what_when_and_for_how_much(version, model, budget, editor):
    count = version.statistics["train"]
    page = asked(editor, version, model=model.pk, effort="quick")
    money = count["tokens"] * 3e-6
    assert f"Trains tiny at {model.provider} on {count['examples']} examples" in page
    assert f"({count['tokens']:,} tokens × 1 epoch × $3 per 1M tokens)" in page
    assert f"Estimated: ${money:.4f}" in page
    assert f"leaves ${10 - money:.2f} of this month" in page and "It is sent at once." in page
    assert not Job.objects.exists() and Budget.objects.get().held == 0


def test_simple_says_how_long_by_one_choice(version, model, budget, editor):
    epochs = {}
    for effort in ("quick", "balanced", "thorough"):
        pages(editor).post(f"/versions/{version.pk}/train/", {"model": model.pk, "effort": effort})
        epochs[effort] = Job.objects.first().hyperparameters["n_epochs"]
    usual = preview(version, model).epochs
    assert epochs == {"quick": 1, "balanced": "auto", "thorough": 2 * usual}
    page = pages(editor).get(f"/versions/{version.pk}/train/").content.decode()
    assert f"auto, the provider chooses; {usual} epochs are usual" in page


def test_the_page_opens_with_what_its_first_choice_would_do(version, model, budget, editor):
    for address in (f"/versions/{version.pk}/train/", f"/versions/{version.pk}/train/?advanced"):
        assert "Trains smollm2-135m-instruct" in pages(editor).get(address).content.decode()


def test_htmx_is_answered_with_the_form_alone(version, model, budget, editor):
    answer = pages(editor).post(
        f"/versions/{version.pk}/train/preview/",
        {"model": model.pk, "effort": "balanced"},
        HTTP_HX_REQUEST="true",
    )
    part = answer.content.decode()
    assert "<html" not in part and part.count('id="preview"') == 1 and "Trains tiny" in part


def test_over_the_budget_it_says_so_before(version, model, editor, owner):
    factories.make_budget(course=version.dataset.course, limit="0.0001")
    page = asked(editor, version, model=model.pk, effort="balanced")
    assert "over the $0.00 that this course may still spend" in page and "note warning" in page


def test_what_would_be_refused_is_said_before(version, budget, editor):
    dear = factories.make_model(train=None)
    short = factories.make_model(provider=dear.provider, name="short", example_tokens=3)
    assert "The price of tiny" in asked(editor, version, model=dear.pk, effort="quick")
    assert "longer than the 3 tokens" in asked(editor, version, model=short.pk, effort="quick")


def test_a_wrong_setting_is_shown_at_its_field_and_nothing_is_promised(version, model, budget, editor):
    page = asked(editor, version, model=model.pk, n_epochs="51", seed="1")
    assert "between 1 and 50" in page and "nothing can be said" in page and "Trains" not in page


def test_the_form_shows_what_the_provider_of_the_model_takes(version, model, budget, editor):
    there = factories.make_model(provider=factories.make_provider(kind="nebius"), name="other", train="1")
    fields = ("n_epochs", "batch_size", "learning_rate_multiplier", "learning_rate", "lora_r", "beta")

    def shown(model):
        page = asked(editor, version, model=model.pk, n_epochs="1", seed="1")
        return [name for name in fields if f'name="{name}"' in page]

    assert shown(model) == ["n_epochs", "batch_size", "learning_rate_multiplier"]
    assert shown(there) == ["n_epochs", "batch_size", "learning_rate", "lora_r"]
    page = asked(editor, version, model=there.pk, learning_rate_multiplier="2", seed="1")
    assert "Learning rate ×: " in page and "does not take this setting" in page


def test_a_second_method_is_a_choice_where_the_provider_has_one(version, model, budget, editor):
    both = factories.make_model(provider=factories.make_provider(kind="openai"), name="other")
    assert 'select name="method"' not in asked(editor, version, model=model.pk, seed="1")
    page = asked(editor, version, model=both.pk, seed="1")
    assert 'select name="method"' in page and 'name="beta"' in page


def test_under_the_two_person_rule_it_says_that_it_waits(version, model, budget, editor, staff):
    version.dataset.course.set_two_person(True, by=staff)
    assert "until another owner or staff agrees" in asked(editor, version, model=model.pk, effort="quick")
    free = factories.make_model(train="0")
    assert "It is sent at once" in asked(editor, version, model=free.pk, effort="quick")


def test_past_jobs_tell_how_long_it_takes(version, model, budget, editor):
    assert preview(version, model).seconds is None
    done = factories.make_tuned_model(job=factories.make_job(version=version, model=model)).job
    begun = done.moves.get(state="running").at
    tokens = preview(version, model).total_tokens
    Job.objects.filter(pk=done.pk).update(ended=begun + timedelta(minutes=7), trained_tokens=tokens)
    assert preview(version, model).seconds == pytest.approx(420)
    assert "it takes about 7 minutes" in asked(editor, version, model=model.pk, effort="balanced")
    sister = factories.make_model(provider=model.provider, name="sister")
    assert preview(version, sister).seconds == pytest.approx(420)
    assert preview(version, factories.make_model()).seconds is None
    assert timezone.now() > begun


def test_the_same_through_the_api(version, model, budget, editor):
    address = f"/api/versions/{version.pk}/jobs/preview/"
    told = api(editor).post(address, {"model": model.pk, "n_epochs": "5"}, format="json")
    tokens = version.training_tokens
    assert told.status_code == 200
    row = told.json()
    assert (row["epochs"], row["tokens"], row["total_tokens"]) == (5, tokens, 5 * tokens)
    assert float(row["estimate"]) == pytest.approx(tokens * 5 * 3e-6)
    assert (row["over"], row["problem"], row["needs_approval"], row["seconds"]) == (False, "", False, None)
    assert row["formula"] in row["text"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{"model": 0}, {"n_epochs": "0"}, {"lora_r": "8"}, {"method": "magic"}, {"learning_rate": "1e-4"}, {"seed": -1}],
    ids=str,
)  # fmt: skip
def test_the_api_refuses_what_no_job_takes(version, model, budget, editor, body):
    for address in ("jobs/preview/", "jobs/"):
        answer = api(editor).post(
            f"/api/versions/{version.pk}/{address}", {"model": model.pk, **body}, format="json"
        )
        assert answer.status_code == 400, address
    assert not Job.objects.exists()


def test_a_preview_costs_few_queries(version, model, budget, editor, django_assert_max_num_queries):
    browser = pages(editor)
    with django_assert_max_num_queries(24):
        browser.post(f"/versions/{version.pk}/train/preview/", {"model": model.pk, "effort": "quick"})


@pytest.mark.parametrize(
    "body", [{}, {"model": "x" * 300}, {"model": "1" * 30, "effort": "nonsense"}, {"effort": "\x00"}]
)
def test_bad_input_is_shown_again(version, model, editor, body):
    answer = pages(editor).post(f"/versions/{version.pk}/train/preview/", body)
    assert answer.status_code == 200


def test_of_preferences_those_examples_count_that_have_a_worse_answer(version, budget, editor):
    both = factories.make_model(provider=factories.make_provider(kind="openai"), name="other")
    told = preview(version, both, method="dpo")
    assert (told.examples, told.tokens) == (0, 0)
    assert "too few for DPO" in told.problem
    assert "too few for DPO" in asked(editor, version, model=both.pk, method="dpo", seed="1")
