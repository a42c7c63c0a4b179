"""The curves of a job: smoothed or not, linear or logarithmic, by plain links that the polling keeps."""

import pytest

from common.charts import LineChart, Series, thinned
from finetuning.curves import smoothed, table, values_of
from finetuning.models import Metric
from tests.common.test_charts import SVG, drawn
from tests.doors import pages

LOSSES = [(1, 3.0), (2, 1.0), (3, 2.0), (4, 0.5)]


@pytest.fixture
def measured(running):
    job, _remote = running
    Metric.objects.bulk_create(
        Metric(job=job, step=step, name=name, value=value)
        for step, value in LOSSES
        for name in ("train_loss", "valid_loss", "train_mean_token_accuracy")
    )
    job.checkpoints.create(remote_id="ckpt-1", step=2, model_name="ft:tiny:ckpt")
    return job


def shown(person, job, **query):
    answer = pages(person).get(f"/jobs/{job.pk}/", query, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_moving_average_begins_at_the_first_value_and_lags_behind():
    assert smoothed(LOSSES, 0.0) == LOSSES
    line = smoothed(LOSSES, 0.6)
    assert line[0] == (1, pytest.approx(3.0))
    assert line[1] == (2, pytest.approx((0.6 * 3 + 1) / 1.6))
    assert max(y for _, y in line[1:]) < 3 and min(y for _, y in line) > 0.5
    assert [step for step, _ in smoothed(LOSSES, 0.9)] == [1, 2, 3, 4]
    assert smoothed([(1, 7.0)] * 3, 0.9) == [(1, pytest.approx(7.0))] * 3


def test_smoothed_the_line_leaves_its_points_which_stay_and_are_faint(measured, editor):
    plain, smooth = shown(editor, measured), shown(editor, measured, smooth="strong")
    assert "faint" not in plain and "as measured" not in plain
    assert 'class="dot a faint"' in smooth and "as measured" in smooth
    for page in (plain, smooth):
        assert "training · step 4: 0.5" in page and "checkpoint, step 2" in page


def test_the_links_and_the_polling_keep_what_was_chosen(measured, editor):
    page = shown(editor, measured, smooth="light", scale="log")
    assert f'hx-get="/jobs/{measured.pk}/?smooth=light&amp;scale=log" hx-trigger="every 2s"' in page
    assert f'href="/jobs/{measured.pk}/?smooth=strong&amp;scale=log"' in page
    assert f'href="/jobs/{measured.pk}/?smooth=light&amp;scale=linear"' in page
    assert page.count('aria-current="true"') == 2


@pytest.mark.parametrize("query", [{"smooth": "x"}, {"scale": "<script>"}, {"smooth": "\x00", "scale": ""}])
def test_a_choice_that_is_none_is_the_usual_one(measured, editor, query):
    page = shown(editor, measured, **query)
    assert "smooth=none&amp;scale=linear" in page and "<script" not in page


def test_a_logarithmic_scale_gives_halves_equal_heights():
    chart = LineChart("Loss", [Series("training", [(1, 4.0), (2, 2.0), (3, 1.0)])], log=True)
    heights = [float(dot.get("cy")) for dot in drawn(chart.svg()).iter(f"{SVG}circle")]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)


@pytest.mark.parametrize("values", [[1.0], [2.1, 2.2], [1e-6, 1e6], [0.0, 1.0], [-1.0, 1.0], [0.0]])
def test_any_losses_have_a_logarithmic_picture_or_none(values):
    chart = LineChart("Loss", [Series("training", list(enumerate(values)))], log=True)
    good = [value for value in values if value > 0]
    assert chart.empty == (not good)
    if good:
        picture = drawn(chart.svg())
        assert len(list(picture.iter(f"{SVG}circle"))) == len(good)
        assert len([each for each in picture.iter(f"{SVG}line") if each.get("class") == "grid"]) >= 2


def test_of_very_many_points_some_are_drawn_and_the_last_always():
    points = [(step, float(step)) for step in range(10_000)]
    assert len(thinned(points, 300)) <= 302 and thinned(points, 300)[-1] == points[-1]
    assert thinned(points[:300], 300) == points[:300]
    assert len(LineChart("Loss", [Series("training", points)]).svg()) < 100_000
    names, rows = table({"train_loss": points})
    assert len(rows) <= 202 and rows[-1][0] == 9_999 and names[0] == "train_loss"


def test_the_page_of_a_job_asks_as_often_however_long_it_was(measured, editor, django_assert_max_num_queries):
    browser = pages(editor)
    Metric.objects.bulk_create(
        Metric(job=measured, step=step, name="train_loss", value=1.0) for step in range(10, 2000)
    )
    for number in range(20):
        measured.events.create(remote_id=f"e{number}", message="x", at=measured.created)
        measured.moves.create(state="running", by=editor)
    assert len(values_of(measured)["train_loss"]) == 1994
    with django_assert_max_num_queries(21):
        browser.get(f"/jobs/{measured.pk}/")
