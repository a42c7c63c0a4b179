from django.db import migrations


class Migration(migrations.Migration):
    """knox made its own table of tokens before ours took its place; what it holds opens nothing any more."""

    dependencies = [("accounts", "0002_rights")]

    operations = [migrations.RunSQL("DROP TABLE IF EXISTS knox_authtoken", migrations.RunSQL.noop)]
