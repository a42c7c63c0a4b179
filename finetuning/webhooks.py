"""A provider's word that a job has moved: a reason to ask it now, and never believed by itself."""

from django.db import transaction
from django.http import Http404, HttpResponse, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.doorbell import ring
from finetuning.models import Job
from finetuning.states import FOLLOWED
from finetuning.tasks import sweep
from providers.models import Delivery, Provider
from providers.webhooks import MOST_BYTES, BadDelivery, about, opened, verified


@csrf_exempt
@require_POST
def webhook(request, pk):
    """204 for whatever bears the provider's signature, 400 for the rest, 404 where none can be checked."""
    provider = get_object_or_404(Provider, pk=pk, is_active=True)
    if not provider.can("webhooks") or not opened(provider.webhook_secret):
        raise Http404
    try:
        body = bounded(request)
        delivery, remote_id = verified(provider.webhook_secret, request.headers, body), about(body)
    except BadDelivery:
        return HttpResponse(status=400)
    take(provider, delivery, remote_id)
    return HttpResponse(status=204)


def bounded(request) -> bytes:
    try:
        body = request.read(MOST_BYTES + 1)
    except UnreadablePostError as error:
        raise BadDelivery("broken off") from error
    if len(body) > MOST_BYTES:
        raise BadDelivery("too long")
    return body


@transaction.atomic
def take(provider, delivery, remote_id):
    """The job that it is about is due now. A delivery that came before changes nothing."""
    _row, is_new = Delivery.objects.get_or_create(provider=provider, webhook_id=delivery)
    if not is_new or not remote_id:
        return
    live = Job.objects.filter(model__provider=provider, remote_id=remote_id, state__in=FOLLOWED)
    if live.update(next_poll_at=timezone.now()):
        ring(sweep)
