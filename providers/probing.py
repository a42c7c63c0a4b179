"""Whether a provider can be reached, takes the key, and which models it lists: asked once, kept, told in words."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from accounts.models import record
from providers import client
from providers.errors import BadAddress, ProviderError, TryAgain, Unreadable
from providers.models import Provider

SHOWN = 8
OUTCOMES = {
    "good": _("It answers and accepts the key."),
    "bad_address": _("It was not called: the address is not allowed."),
    "unreachable": _("It cannot be reached. Check the address, and whether this server may call it."),
    "key": _("It answers, and does not accept the key. Enter the key anew."),
    "nothing_there": _("It answers, and has no list of models there. Check that the address ends in /v1."),
    "busy": _("It answers, and is too busy. Try again later."),
    "unreadable": _("It answers, and not as an OpenAI-compatible provider does. Check the address."),
    "failing": _("It answers with an error of its own. Try again later."),
}


def probe(provider, by=None) -> bool:
    """Ask for the list of models; what came of it is kept with the provider."""
    address = f"{provider.address.rstrip('/')}/models" if provider.address else ""
    told = {"tried": f"GET {address}".strip(), "models": 0, "first": [], "detail": ""}
    try:
        names = client.model_names(provider)
        told |= {"outcome": "good", "models": len(names), "first": [name[:100] for name in names[:SHOWN]]}
    except ProviderError as error:
        told |= {"outcome": _outcome(error), "detail": error.text}
    good = told["outcome"] == "good"
    with transaction.atomic():
        Provider.objects.filter(pk=provider.pk).update(tested=timezone.now(), test_result=told)
        record(by, "provider.test", provider, outcome=told["outcome"])
        if good:
            provider.note_success()
    provider.refresh_from_db()
    return good


def _outcome(error):
    by_status = {401: "key", 403: "key", 404: "nothing_there", 429: "busy"}
    if isinstance(error, BadAddress):
        return "bad_address"
    if isinstance(error, Unreadable):
        return "unreadable"
    if error.status is None:
        return "unreachable" if isinstance(error, TryAgain) else "failing"
    return by_status.get(error.status, "failing")


def result_of(provider) -> str:
    """What the last test found, in words."""
    told = provider.test_result
    if not told:
        return now_("Not tested yet.")
    words = [str(OUTCOMES.get(told.get("outcome"), ""))]
    if told.get("outcome") == "good":
        names = ", ".join(told["first"]) + ("…" if told["models"] > len(told["first"]) else "")
        words.append(
            now_("Models: %(count)d (%(names)s).") % {"count": told["models"], "names": names or "–"}
        )
    elif told.get("detail"):
        words.append(now_("It says: %s") % told["detail"])
    return f"{told.get('tried', '')}: {' '.join(words)}"
