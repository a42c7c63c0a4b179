"""The catalogue of models kept up to date: by what providers say of their models, and by files that staff bring."""

import json
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import record
from common.states import Refused
from providers import client
from providers.errors import ProviderError
from providers.models import Model, Price, Provider

LARGEST_FILE = 2 * 1024**2
EVERY = timedelta(hours=23)
FIELDS = {
    Provider: {"kind", "base_url", "capabilities"},
    Model: {
        "context_tokens", "example_tokens", "languages", "licence", "trainable", "train_until", "serve_until",
        "dates_source",
    },
    Price: {"amount", "source"},
}  # fmt: skip


@dataclass
class Change:
    """A field of a row as it was and as it is; both empty where something is only worth saying."""

    row: object
    text: str
    problem: bool = False

    def __str__(self):
        return f"{self.row}: {self.text}"


def check_due() -> list[Change]:
    """Ask those providers that nobody has asked for a day; of two callers at once, one asks."""
    now, told = timezone.now(), []
    due = Provider.objects.usable(now).filter(Q(models_checked=None) | Q(models_checked__lt=now - EVERY))
    for provider in due:
        if due.filter(pk=provider.pk).update(models_checked=now):
            told += check(provider)
    return told


def check(provider, by=None) -> list[Change]:
    """Compare our models with the provider's list; a shutdown date that it gives is taken over."""
    try:
        there = {row["id"]: row for row in client.models_there(provider)}
    except ProviderError as error:
        return [Change(provider, error.text, problem=True)]
    Provider.objects.filter(pk=provider.pk).update(models_checked=timezone.now())
    told = []
    for model in provider.models.select_related("provider"):
        if model.name not in there:
            told.append(Change(model, _("the provider does not list it"), problem=True))
            continue
        ends = there[model.name].get("shutdown_date")
        day = _day(ends)
        if ends and day is None:
            told.append(
                Change(model, _("a shutdown date that makes no sense: %s") % str(ends)[:50], problem=True)
            )
        elif day and day != model.serve_until:
            told.append(_take_over(model, day, by))
    return told


def _day(told) -> date | None:
    """The day of a date, a time, or seconds since 1970."""
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC).date()
        return datetime.fromisoformat(told).date()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


@transaction.atomic
def _take_over(model, day, by):
    before, source = (
        model.serve_until,
        f"GET {model.provider.address.rstrip('/')}/models, {timezone.localdate()}",
    )
    model.serve_until, model.dates_source = day, source[:300]
    model.save(update_fields=["serve_until", "dates_source"])
    record(
        by, "model.check", model, before={"serve_until": str(before or "")}, after={"serve_until": str(day)}
    )
    return Change(model, _("shuts down: %(before)s → %(after)s") % {"before": before or "–", "after": day})


def load(path, by=None) -> list[Change]:
    """Bring providers, models and prices of a JSON or TOML file in: all of it or, with Refused, nothing."""
    told, changes = _read(path), []
    with transaction.atomic():
        for place, entry in _entries(told, "providers", ""):
            provider = _bring(Provider, place, entry, {"name": _named(entry, place)}, {"models"}, changes, by)
            for inner, row in _entries(entry, "models", place):
                model = _model(provider, inner, row, changes, by)
                for last, price in _entries(row, "prices", inner):
                    key = {"model": model, "what": price.get("what"), "valid_from": price.get("valid_from")}
                    _bring(Price, last, price, key, set(), changes, by)
    return changes


def _read(path) -> dict:
    try:
        data = path.read_bytes()
        if len(data) > LARGEST_FILE:
            raise Refused(_("%s is larger than 2 MB.") % path)
        text = data.decode("utf-8-sig")
        told = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        written = json.dumps(told, default=str, ensure_ascii=False).encode()  # surrogates cannot be
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"{path}: {error}") from error
    if b"\\u0000" in written:
        raise Refused(_("%s holds a NUL character.") % path)
    if not isinstance(told, dict) or set(told) != {"providers"}:
        raise Refused(_("%s: it must hold “providers”, a list, and nothing else.") % path)
    return told


def _entries(holder, name, place):
    """[(place in words, entry)] of a list inside an entry."""
    rows = holder.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refused(
            _("%(place)s: “%(name)s” must be a list of entries.")
            % {"place": place or _("The file"), "name": name}
        )
    label = f"{place} → " if place else ""
    return [
        (f"{label}{name}[{number}] {row.get('name') or row.get('what') or ''}".strip(), row)
        for number, row in enumerate(rows)
    ]


def _named(entry, place):
    if not isinstance(entry.get("name"), str) or not entry["name"]:
        raise Refused(_("%s: it needs a name.") % place)
    return entry["name"]


def _model(provider, place, row, changes, by):
    dated = {"train_until", "serve_until"} & set(row)
    if dated and not row.get("dates_source"):
        raise Refused(_("%s: dates need a “dates_source”.") % place)
    return _bring(
        Model, place, row, {"provider": provider, "name": _named(row, place)}, {"prices"}, changes, by
    )


def _bring(kind, place, entry, key, inner, changes, by):
    """The row with this key as the entry says, made or changed where it differs."""
    unknown = set(entry) - FIELDS[kind] - set(key) - inner
    if unknown:
        raise Refused(_("%(place)s: unknown “%(name)s”.") % {"place": place, "name": min(unknown)})
    try:
        row = kind.objects.filter(**key).first() or kind(
            **key, **({"is_active": False} if kind is Provider else {})
        )
        before = {name: getattr(row, name) for name in FIELDS[kind]}
        for name in FIELDS[kind] & set(entry):
            setattr(row, name, entry[name])
        row.full_clean()
    except (ValidationError, TypeError, ValueError) as error:
        raise Refused(f"{place}: {_why(error)}") from error
    after = {name: getattr(row, name) for name in FIELDS[kind]}
    new, changed = row.pk is None, [name for name in sorted(before) if before[name] != after[name]]
    if new or changed:
        row.save()
        told = [{name: str(values[name]) for name in changed} for values in (before, after)]
        record(by, f"{kind._meta.model_name}.load", row, before=None if new else told[0], after=told[1])
        changes.append(
            Change(
                row,
                _("new") if new else ", ".join(f"{name}: {before[name]} → {after[name]}" for name in changed),
            )
        )
    return row


def _why(error):
    if isinstance(error, ValidationError) and hasattr(error, "message_dict"):
        return " ".join(f"{name}: {' '.join(told)}" for name, told in error.message_dict.items())
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
