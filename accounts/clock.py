"""Time zones as people choose them, and the one that a person lives in."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils.translation import gettext_lazy as _

AREAS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


def zone_of(user):
    """None where the server's time zone is meant, or where this machine no longer knows theirs."""
    try:
        return ZoneInfo(user.time_zone) if user.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


@cache
def time_zones():
    """Choices of a select, grouped by part of the world."""
    names = sorted(available_timezones())
    grouped = [
        (
            area,
            [
                (name, name.partition("/")[2].replace("_", " "))
                for name in names
                if name.startswith(f"{area}/")
            ],
        )
        for area in AREAS
    ]
    return [("", _("that of this server")), ("UTC", "UTC"), *(each for each in grouped if each[1])]
