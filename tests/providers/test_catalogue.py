"""The catalogue follows what providers announce, and takes in files: all of a file or nothing."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEntry
from common.states import Refused
from providers.catalogue import check, check_due, load
from providers.models import Model, Price, Provider
from providers.tasks import check_models
from tests import factories

FILE = """
[[providers]]
name = "Example"
kind = "nebius"
base_url = "https://api.example.com/v1"
capabilities = { batch_most = 16 }

[[providers.models]]
name = "small"
context_tokens = 8192
example_tokens = 4096
languages = "en,ru"
licence = "Apache-2.0"
train_until = 2027-04-01
dates_source = "price list, read 2026-11-22"

[[providers.models.prices]]
what = "train"
amount = "2.50"
valid_from = 2026-11-01
source = "price list, read 2026-11-22"
"""


@pytest.fixture
def model(provider):
    return factories.make_model(provider=provider)


@pytest.fixture
def write(tmp_path, db):
    def write(text, name="models.toml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def run(*args):
    out = StringIO()
    call_command("models", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("told", ["2027-04-14", "2027-04-14T10:00:00Z", 1807660800, 1807660800.0])
def test_a_shutdown_date_is_taken_over_with_its_source(there, model, told, staff):
    there.models["tiny"]["shutdown_date"] = told
    (change,) = check(model.provider, by=staff)
    model.refresh_from_db()
    assert model.serve_until == date(2027, 4, 14)
    assert model.dates_source == f"GET {there.base_url}/models, {timezone.localdate()}"
    assert "2027-04-14" in str(change) and not change.problem
    entry = AuditEntry.objects.get(action="model.check")
    assert (entry.before, entry.after, entry.actor) == (
        {"serve_until": ""},
        {"serve_until": "2027-04-14"},
        staff,
    )
    assert check(model.provider) == []


def test_no_date_leaves_the_one_that_staff_have_entered(there, model):
    Model.objects.filter(pk=model.pk).update(serve_until="2027-01-14", dates_source="by hand")
    assert check(model.provider) == []
    model.refresh_from_db()
    assert (str(model.serve_until), model.dates_source) == ("2027-01-14", "by hand")


@pytest.mark.parametrize("told", ["soon", "2027-13-45", True, [1], {"a": 1}, 1e300, -1e300, "9" * 400])
def test_a_date_that_makes_no_sense_is_told_and_changes_nothing(there, model, told):
    there.models["tiny"]["shutdown_date"] = told
    (change,) = check(model.provider)
    model.refresh_from_db()
    assert change.problem and model.serve_until is None and len(str(change)) < 200


def test_a_model_that_is_not_listed_is_told(there, model):
    there.models = {"other": {}}
    (change,) = check(model.provider)
    assert change.problem and "does not list it" in str(change)


def test_a_provider_that_does_not_answer_stops_nobody_else(there, model):
    silent = factories.make_provider(base_url="http://127.0.0.1:9/v1", name="Silent")
    factories.make_model(provider=silent)
    Provider.objects.exclude(pk__in=[silent.pk, model.provider.pk]).update(is_active=False)
    there.models["tiny"]["shutdown_date"] = "2027-04-14"
    told = check_due()
    assert sorted(change.problem for change in told) == [False, True]


def test_each_provider_is_asked_once_a_day(there, model):
    Provider.objects.exclude(pk=model.provider.pk).update(is_active=False)
    check_models()
    check_models()
    assert len(there.asked("GET /models")) == 1
    Provider.objects.update(models_checked=timezone.now() - timedelta(days=1))
    check_models()
    assert len(there.asked("GET /models")) == 2


def test_a_file_brings_in_providers_models_and_prices_once(write):
    path = write(FILE)
    assert len(load(path)) == 3
    provider = Provider.objects.get(name="Example")
    assert (provider.kind, provider.is_active, provider.key, provider.can("batch_most")) == (
        "nebius",
        False,
        "",
        16,
    )
    model = provider.models.get()
    assert (model.example_tokens, model.train_until, model.serve_until) == (4096, date(2027, 4, 1), None)
    assert model.price("train", date(2026, 11, 2)) == Decimal("2.5")
    assert AuditEntry.objects.filter(action__endswith=".load").count() == 3
    assert load(path) == []
    assert AuditEntry.objects.filter(action__endswith=".load").count() == 3


def test_a_changed_file_changes_what_differs_and_says_what(write):
    load(write(FILE))
    changes = load(write(FILE.replace('"2.50"', "2.75").replace("8192", "16384")))
    assert sorted(str(change).split(": ", 1)[1] for change in changes) == [
        "amount: 2.5000 → 2.75", "context_tokens: 8192 → 16384",
    ]  # fmt: skip
    assert Price.objects.filter(model__name="small").count() == 1
    entry = AuditEntry.objects.filter(action="model.load").first()
    assert (entry.before, entry.after) == ({"context_tokens": "8192"}, {"context_tokens": "16384"})


def test_json_does_as_well(write):
    price = {"what": "train", "amount": 3, "valid_from": "2026-11-01", "source": "list"}
    row = {"name": "m", "context_tokens": 10, "example_tokens": 5, "prices": [price]}
    text = json.dumps({"providers": [{"name": "OpenAI", "models": [row]}]})
    assert len(load(write("\ufeff" + text, "models.json"))) == 2
    assert load(write(text, "models.json")) == []
    assert Model.objects.get(name="m").price("train") == 3


def test_another_address_by_file_takes_the_key_away(write):
    load(write(FILE))
    Provider.objects.filter(name="Example").update(key="sk-of-the-old-address")
    load(write(FILE.replace("api.example.com", "evil.example")))
    assert Provider.objects.get(name="Example").key == ""


MODEL, PRICE = (
    "providers[0] Example → models[0] small",
    "providers[0] Example → models[0] small → prices[0] train",
)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('amount = "2.50"', 'amount = "-1"', PRICE),
        ('amount = "2.50"', 'amount = "cheap"', PRICE),
        ('amount = "2.50"', "amount = nan", PRICE),
        ('amount = "2.50"', "amount = inf", PRICE),
        ('amount = "2.50"', 'amount = "1e99"', PRICE),
        ('amount = "2.50"\n', "", PRICE),
        ('what = "train"', 'what = "lunch"', "prices[0] lunch"),
        ("valid_from = 2026-11-01", 'valid_from = "soon"', PRICE),
        ("valid_from = 2026-11-01\n", "", PRICE),
        ('source = "price list, read 2026-11-22"\n', "", PRICE),
        ("context_tokens = 8192", "context_tokens = -1", MODEL),
        ("context_tokens = 8192", 'context_tokens = "many"', MODEL),
        ("context_tokens = 8192", "context_tokens = [1]", MODEL),
        ("context_tokens = 8192\n", "", MODEL),
        ('dates_source = "price list, read 2026-11-22"\n', "", MODEL),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"', MODEL),
        ('name = "small"', "name = 7", "models[0] 7"),
        ('name = "small"', f'name = "{"x" * 300}"', "models[0] xxx"),
        ("batch_most = 16", "batch_mist = 16", "providers[0] Example"),
        ('kind = "nebius"', 'kind = "moon"', "providers[0] Example"),
        ("https://api.example.com/v1", "http://10.0.0.1/v1", "providers[0] Example"),
        ('name = "Example"', 'key = "sk-x"\nname = "Example"', "providers[0] Example"),
        ('name = "Example"\n', "", "providers[0]"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_place_and_nothing_comes_in(write, old, new, place):
    assert FILE.count(old)
    before = Provider.objects.count()
    with pytest.raises(Refused) as told:
        load(write(FILE.replace(old, new, 1) if "source" not in old[:6] else new.join(FILE.rsplit(old, 1))))
    assert place in str(told.value)
    assert (Provider.objects.count(), Model.objects.filter(name="small").count()) == (before, 0)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "a.toml"), ("x", "a.toml"), ("[]", "a.json"), ("{", "a.json"), ("null", "a.json"), ('{"providers": 1}', "a.json"),
        ('{"providers": [1]}', "a.json"), ('{"models": []}', "a.json"), (b"\xff\xfe\x00", "a.toml"), ("[" * 100_000, "a.json"),
        (b" " * 3 * 1024**2, "a.toml"), ('{"providers": [{"name": "OpenAI", "models": {}}]}', "a.json"),
        ('{"providers": [{"name": "a\\u0000b", "kind": "openai"}]}', "a.json"),
        ('{"providers": [{"name": "a\\ud800b", "kind": "openai"}]}', "a.json"),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_words(write, text, name):
    before = Provider.objects.count()
    with pytest.raises(Refused):
        load(write(text, name))
    assert Provider.objects.count() == before


def test_the_command_lists_models_with_prices_and_dates(db):
    told = run()
    for words in (
        "smollm2-135m-instruct",
        "gpt-4o-mini-2024-07-18",
        "128,000",
        "2027-01-14",
        "1.875",
        "OpenAI (off)",
    ):
        assert words in told
    assert "gpt-4o" not in run("--provider", "this machine")


def test_the_command_checks_and_loads_and_says_what_it_did(there, model, write):
    Provider.objects.exclude(pk=model.provider.pk).update(is_active=False)
    there.models["tiny"]["shutdown_date"] = "2027-04-14"
    assert "– → 2027-04-14" in run("--check") and "Changes: 0." in run("--check")
    assert "Changes: 3." in run("--load", str(write(FILE)))


def test_the_command_refuses_in_words(write):
    for args in (["--provider", "Nobody"], ["--load", "/no/such/file.toml"], ["--load", str(write("x"))]):
        with pytest.raises(CommandError):
            run(*args)
