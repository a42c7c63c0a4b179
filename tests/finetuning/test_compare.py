"""Two to six jobs beside each other: page and API tell the same numbers, and of this course only."""

import pytest

from finetuning.models import Job, Metric
from tests import factories
from tests.common.test_charts import SVG, drawn
from tests.doors import api, pages


@pytest.fixture
def course(version):
    return version.dataset.course


@pytest.fixture
def pair(version, model, budget):
    """One with set and one with automatic epochs, both measured; the second has ended."""
    one = factories.make_job(version=version, model=model, n_epochs=2)
    other = factories.make_tuned_model(job=factories.make_job(version=version, model=model, seed=7)).job
    Job.objects.filter(pk=other.pk).update(
        settled_hyperparameters={"n_epochs": 3, "batch_size": 4}, trained_tokens=1234
    )
    for job, loss in ((one, 2.0), (other, 1.5)):
        for step in (1, 2):
            Metric.objects.create(job=job, step=step, name="train_loss", value=loss / step)
    Metric.objects.create(job=other, step=2, name="full_valid_mean_token_accuracy", value=0.75)
    return [one, other]


def address(course, jobs, lead="", **query):
    words = [f"job={job.pk}" for job in jobs] + [f"{name}={value}" for name, value in query.items()]
    return f"{lead}/courses/{course.pk}/jobs/compare/?{'&'.join(words)}"


def test_the_api_gives_a_value_for_each_job_and_says_what_differs(course, pair, editor):
    told = api(editor).get(address(course, pair, "/api")).json()
    assert told["jobs"] == [job.pk for job in pair]
    rows = {row["name"]: row for row in told["rows"]}
    assert rows["n_epochs"]["values"] == [2, 3] and rows["n_epochs"]["differs"]
    assert rows["batch_size"]["values"] == ["auto", 4]
    assert rows["seed"]["values"] == [42, 7]
    assert rows["train_loss"]["values"] == [1.0, 0.75]
    assert rows["full_valid_mean_token_accuracy"]["values"] == [None, 0.75]
    assert rows["state"]["values"] == ["intended", "succeeded"]
    assert rows["trained_tokens"]["values"] == [None, 1234]
    assert not rows["base_model"]["differs"] and rows["base_model"]["values"] == ["tiny", "tiny"]
    assert rows["estimate"]["differs"] and rows["billed"]["values"][0] is None


def test_the_page_shows_the_same_and_a_line_for_each_job(course, pair, editor):
    page = pages(editor).get(address(course, pair)).content.decode()
    assert "3 (auto)" in page and "1,234" in page and "0.750" in page and "≠" in page
    chart = page[page.index("<svg") : page.index("</svg>") + 6]
    lines = [each.get("class") for each in drawn(chart).iter(f"{SVG}polyline")]
    assert lines == ["line r1", "line r2"]
    assert all(f"#{job.pk}" in chart for job in pair)


def test_the_order_is_the_one_asked_for(course, pair, editor):
    told = api(editor).get(address(course, pair[::-1], "/api")).json()
    assert told["jobs"] == [job.pk for job in pair[::-1]]


def test_what_is_drawn_is_chosen_in_the_address(course, pair, editor):
    client = pages(editor)
    page = client.get(address(course, pair, of="full", smooth="light", scale="log")).content.decode()
    assert "Token accuracy" in page and 'aria-label="Loss"' not in page
    assert f"job={pair[0].pk}&amp;job={pair[1].pk}&amp;of=train&amp;smooth=light&amp;scale=log" in page
    assert "Nothing has been measured" in client.get(address(course, pair, of="valid")).content.decode()
    assert client.get(address(course, pair, of="nonsense")).status_code == 200


@pytest.mark.parametrize("count", [0, 1, 7])
def test_fewer_than_two_or_more_than_six_are_refused(course, version, editor, count):
    jobs = [factories.make_job(version=version, seed=seed) for seed in range(count)]
    for door, lead in ((pages(editor), ""), (api(editor), "/api")):
        answer = door.get(address(course, jobs, lead))
        assert answer.status_code == 400
        assert "Choose two to six jobs" in answer.content.decode()


@pytest.mark.parametrize("key", ["x", "-1", "1e3", "9" * 30, "%00", "²"])
def test_what_is_no_key_is_refused(course, pair, editor, key):
    for door, lead in ((pages(editor), ""), (api(editor), "/api")):
        assert door.get(f"{address(course, pair, lead)}&job={key}").status_code == 400


def test_a_job_of_another_course_is_not_there(course, pair, editor, owner, stranger, student):
    dataset = factories.make_dataset(course=factories.make_course(owner=owner))
    theirs = factories.make_job(version=factories.make_version(dataset=dataset, examples=12))
    for lead, door in (("", pages), ("/api", api)):
        for jobs in ([pair[0], theirs], [pair[0], Job(pk=10**17)]):
            assert door(owner).get(address(course, jobs, lead)).status_code == 404
        assert door(stranger).get(address(course, pair, lead)).status_code == 404
        assert door(student).get(address(course, pair, lead)).status_code == 403


def test_the_list_of_jobs_leads_there(course, pair, reviewer):
    page = pages(reviewer).get(f"/courses/{course.pk}/jobs/").content.decode()
    assert f'action="/courses/{course.pk}/jobs/compare/"' in page
    assert page.count('name="job"') == 2 and page.count('form="compare"') == 2


@pytest.mark.parametrize(("door", "lead", "most"), [(pages, "", 14), (api, "/api", 9)])
def test_queries_do_not_grow_with_the_jobs(
    course, version, pair, editor, door, lead, most, django_assert_max_num_queries
):
    jobs = pair + [factories.make_job(version=version, seed=seed) for seed in range(4)]
    for job in jobs[2:]:
        Metric.objects.bulk_create(
            Metric(job=job, step=step, name="train_loss", value=1) for step in range(500)
        )
    client = door(editor)
    with django_assert_max_num_queries(most):
        assert client.get(address(course, jobs, lead)).status_code == 200
