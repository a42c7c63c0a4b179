"""The providers, models and prices that a new installation begins with. Staff change them in the admin."""

from datetime import date

from django.db import migrations

OPENAI_PRICES = "OpenAI price list, standard tier, read 2026-11-22"
OPENAI_MODELS = {
    # name: (train, input, cached, output) in US dollars per 1M tokens
    "gpt-4o-mini-2024-07-18": ("3.00", "0.30", "0.15", "1.20"),
    "gpt-4.1-mini-2025-04-14": ("5.00", "0.80", "0.20", "3.20"),
    "gpt-4o-2024-08-06": ("25.00", "3.75", "1.875", "15.00"),
    "gpt-4.1-2025-04-14": ("25.00", "3.00", "0.75", "12.00"),
}
WHAT = ("train", "input", "cached", "output")


def fill(apps, schema_editor):
    provider = apps.get_model("providers", "Provider").objects
    engine = provider.create(name="This machine", kind="engine", base_url="")
    add_model(apps, engine, "smollm2-135m-instruct", ("0", "0", "0", "0"), "free: it runs here",
              context_tokens=8192, example_tokens=2048, languages="en", licence="Apache-2.0")  # fmt: skip
    openai = provider.create(name="OpenAI", kind="openai", base_url="https://api.openai.com/v1", is_active=False)
    for name, prices in OPENAI_MODELS.items():
        add_model(apps, openai, name, prices, OPENAI_PRICES,
                  context_tokens=128_000, example_tokens=65_536, languages="en,ru", licence="proprietary",
                  train_until=date(2027, 1, 6), serve_until=date(2027, 1, 14))  # fmt: skip


def add_model(apps, provider, name, prices, source, **fields):
    model = apps.get_model("providers", "Model").objects.create(provider=provider, name=name, **fields)
    for what, amount in zip(WHAT, prices, strict=True):
        model.prices.create(what=what, amount=amount, valid_from=date(2026, 11, 1), source=source)


class Migration(migrations.Migration):
    dependencies = [("providers", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
