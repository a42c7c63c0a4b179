from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find
from assistants import talking
from assistants.models import PUBLISHED, Assistant, Conversation, Message
from assistants.watching import Reader, Revoked
from courses.models import Course
from finetuning.models import TunedModel
from providers.errors import ProviderError


@require_safe
@login_required
def assistants(request, pk):
    course = find(Course, pk, request.user)
    rows = Assistant.objects.visible_to(request.user).of(course).select_related("deployment")
    models = TunedModel.objects.visible_to(request.user).of(course)
    context = {"course": course, "step": "assistants", "assistants": rows, "models": models}
    return render(request, "assistants/assistants.html", context)


@require_POST
@login_required
def assistant_new(request, pk):
    tuned = find(TunedModel, pk, request.user, to="publish")
    assistant = Assistant.objects.start(tuned, by=request.user)
    return redirect("assistant", assistant.pk)


@require_safe
@login_required
def assistant(request, pk):
    """The chat page: own last conversation with this assistant, or a new one."""
    assistant = find(Assistant, pk, request.user)
    conversation = conversation_of(request, assistant)
    context = {
        "course": assistant.course,
        "step": "assistants",
        "assistant": assistant,
        "conversation": conversation,
        "turns": turns(conversation),
        "api_url": request.build_absolute_uri("/api/v1"),
    }
    return render(request, "assistants/assistant.html", context)


def conversation_of(request, assistant):
    own = Conversation.objects.filter(assistant=assistant, user=request.user)
    wanted = request.POST.get("conversation") or request.GET.get("conversation")
    if wanted == "new":
        return None
    if not (wanted or "").isdecimal():
        return own.first()
    return get_object_or_404(own, pk=wanted if len(wanted) < 19 else 0)


def turns(conversation):
    """[{question, tuned, base}] in order, an answer that is missing left out."""
    told = []
    for message in conversation.messages.all() if conversation else []:
        if message.side == Message.Side.ASKED:
            told.append({"question": message})
        elif told:
            told[-1][message.side] = message
    return told


@require_POST
@login_required
def assistant_ask(request, pk):
    """Put a question. Without a script both answers are awaited; with one, it is told where they stream."""
    assistant = find(Assistant, pk, request.user, to="chat")
    question = talking.ask(
        assistant, request.user, request.POST.get("question", ""), conversation_of(request, assistant)
    )
    if request.headers.get("X-Requested-With") == "chat":
        context = {"question": question, "sides": talking.SIDES, "assistant": assistant}
        return render(request, "assistants/_turn.html", context)
    for side in talking.SIDES:
        if problem := async_to_sync(whole)(question, side, Reader.of(request, assistant)):
            messages.error(request, talking.problem_of(problem))
        if isinstance(problem, Revoked):
            return redirect("courses")
    return redirect(
        f"{reverse('assistant', args=[assistant.pk])}?conversation={question.conversation_id}#end"
    )


async def whole(question, side, reader):
    """Wait for the end of an answer; what went wrong with it, if anything."""
    try:
        async for _piece in talking.answer(question, side, reader):
            pass
    except ProviderError as problem:
        return problem


@require_POST
@login_required
def assistant_answer(request, pk, side):
    """One side's answer to an own question, as plain text while it comes."""
    question = get_object_or_404(
        Message.objects.select_related(
            "conversation__user",
            "conversation__assistant__course",
            "conversation__assistant__deployment__provider",
            "conversation__assistant__deployment__tuned_model__job__model",
        ),
        pk=pk,
        side=Message.Side.ASKED,
        conversation__user=request.user,
    )
    assistant = find(Assistant, question.conversation.assistant_id, request.user, to="chat")
    pieces = told(question, side, Reader.of(request, assistant))
    response = StreamingHttpResponse(pieces, content_type="text/plain; charset=utf-8")
    response["X-Accel-Buffering"] = "no"
    return response


async def told(question, side, reader):
    try:
        async for piece in talking.answer(question, side, reader):
            yield piece
    except ProviderError as error:
        yield f"\n[{talking.problem_of(error)}]"


@require_POST
@login_required
def assistant_publish(request, pk):
    assistant = find(Assistant, pk, request.user, to="publish")
    assistant.publish(by=request.user)
    if assistant.state == PUBLISHED:
        messages.success(request, _("Everyone on the course may chat with it now."))
    else:
        messages.info(request, _("Another owner or staff must approve it now."))
    return redirect("assistant", assistant.pk)


@require_POST
@login_required
def assistant_approve(request, pk):
    assistant = find(Assistant, pk, request.user, to="approve")
    assistant.approve(by=request.user)
    messages.success(request, _("Everyone on the course may chat with it now."))
    return redirect("assistant", assistant.pk)


@require_POST
@login_required
def assistant_archive(request, pk):
    assistant = find(Assistant, pk, request.user, to="publish")
    assistant.archive(by=request.user)
    return redirect("assistant", assistant.pk)


@require_POST
@login_required
def assistant_restore(request, pk):
    assistant = find(Assistant, pk, request.user, to="publish")
    assistant.restore(by=request.user)
    return redirect("assistant", assistant.pk)


@require_POST
@login_required
def assistant_withdraw(request, pk):
    assistant = find(Assistant, pk, request.user, to="publish")
    assistant.withdraw(by=request.user)
    return redirect("assistant", assistant.pk)
