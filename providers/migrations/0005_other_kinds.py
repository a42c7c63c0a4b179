"""The other kinds that are known, switched off, for staff to give an address and a key; a source for OpenAI's dates."""

from django.db import migrations

OTHERS = {
    "azure": "Azure OpenAI",  # https://RESOURCE.openai.azure.com/openai/v1/
    "nebius": "Nebius Token Factory",
    "crusoe": "Crusoe Intelligence Foundry",
    "unsloth": "Unsloth Studio",
}
OPENAI_DATES = "OpenAI closes tuning on 2027-01-06; shutdown on 2027-01-14 by third parties; read 2026-11-22"


def fill(apps, schema_editor):
    provider = apps.get_model("providers", "Provider").objects
    for kind, name in OTHERS.items():
        if not provider.filter(kind=kind).exists():
            provider.get_or_create(name=name, defaults={"kind": kind, "is_active": False})
    models = apps.get_model("providers", "Model").objects
    models.filter(provider__kind="openai", serve_until="2027-01-14", dates_source="").update(dates_source=OPENAI_DATES)


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_provider_models_checked")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
