"""The tables of the project as its models declare them, in the order of the house."""

from dataclasses import dataclass, field

from django.apps import apps
from django.db import models
from django.utils.translation import override

from config import glossary

OWN = ("accounts", "courses", "providers", "datasets", "finetuning", "evaluation", "assistants")
BORROWED = ("auth", "contenttypes", "knox")
TYPES = {
    "AutoField": "integer",
    "BigAutoField": "bigint",
    "BigIntegerField": "bigint",
    "BooleanField": "boolean",
    "CharField": "varchar({max_length})",
    "DateField": "date",
    "DateTimeField": "timestamp",
    "DecimalField": "decimal({max_digits}, {decimal_places})",
    "FloatField": "double",
    "GenericIPAddressField": "inet",
    "JSONField": "json",
    "PositiveBigIntegerField": "bigint",
    "PositiveIntegerField": "integer",
    "TextField": "text",
    "UUIDField": "uuid",
}
ON_DELETE = {models.CASCADE: "cascade", models.PROTECT: "protect", models.SET_NULL: "set null"}


@dataclass(frozen=True)
class Column:
    """`target` is the label of the table that a foreign key points at, else empty."""

    name: str
    type: str
    primary: bool
    unique: bool
    null: bool
    meaning: str
    target: str
    on_delete: str


@dataclass
class Table:
    label: str
    app: str
    name: str
    database_name: str
    about: str
    columns: list[Column]
    rules: list[str] = field(default_factory=list)


def tables(labels=OWN) -> list[Table]:
    """One for each table of these apps, with those that only join two others at the end of their app."""
    with override("en"):
        return [_table(model) for label in labels for model in _models(label)]


def _models(label):
    found = apps.get_app_config(label).get_models(include_auto_created=True)
    return sorted(found, key=lambda model: bool(model._meta.auto_created))


def _table(model):
    meta = model._meta
    by_hand = model.__doc__ and not model.__doc__.startswith(f"{meta.object_name}(")
    return Table(
        label=meta.label,
        app=meta.app_label,
        name=meta.object_name,
        database_name=meta.db_table,
        about=" ".join(model.__doc__.split()) if by_hand else glossary.TABLES.get(meta.label, ""),
        columns=[_column(each) for each in meta.fields],
        rules=[*_together(meta), *map(_constraint, meta.constraints), *_indexes(meta)],
    )


def _column(each):
    pointer = each.remote_field
    return Column(
        name=each.column,
        type=_type(each),
        primary=each.primary_key,
        unique=each.unique and not each.primary_key,
        null=each.null,
        meaning=_meaning(each),
        target=each.related_model._meta.label if pointer else "",
        on_delete=ON_DELETE[pointer.on_delete] if pointer else "",
    )


def _type(each):
    if each.remote_field:
        return _type(each.target_field)
    return TYPES[each.get_internal_type()].format(**vars(each))


def _meaning(each):
    """The field's own words; where they only repeat its name, those of the glossary."""
    named = str(each.verbose_name)
    words = [named]
    bare = named.lower().replace(" ", "_") in (each.name, each.name.removesuffix("_id"))
    if bare and not each.help_text:
        own = f"{each.model.__name__}.{each.name}"
        words = [glossary.COLUMNS.get(own) or glossary.COLUMNS.get(each.column, named)]
    if each.help_text:
        words.append(str(each.help_text))
    if each.choices:
        words.append("one of " + ", ".join(str(value) for value, _label in each.flatchoices))
    return "; ".join(words)


def _together(meta):
    return [f"unique ({', '.join(names)})" for names in meta.unique_together]


def _constraint(each):
    if isinstance(each, models.UniqueConstraint):
        where = f" where {_said(each.condition)}" if each.condition else ""
        return f"unique ({', '.join(each.fields)}){where}"
    return f"check {_said(each.condition)}"


def _indexes(meta):
    alone = [[each.name] for each in meta.fields if each.db_index and not (each.remote_field or each.unique)]
    return [f"index ({', '.join(names)})" for names in [*alone, *(each.fields for each in meta.indexes)]]


def _said(condition):
    """A Q object in words, such as `state in (draft, approved)`."""
    parts = [_said(part) if isinstance(part, models.Q) else _comparison(*part) for part in condition.children]
    text = f" {condition.connector.lower()} ".join(parts)
    return f"not ({text})" if condition.negated else text


def _comparison(lookup, value):
    name, _, operator = lookup.partition("__")
    if operator == "in":
        return f"{name} in ({', '.join(map(str, value))})"
    return f"{name} {'≥' if operator == 'gte' else '='} {value if value != '' else 'empty'}"
