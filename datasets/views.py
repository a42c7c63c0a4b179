from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import find, rights
from common.charts import buckets_of, histogram
from common.tokens import text_of
from courses.models import Course
from datasets.costs import offers
from datasets.files import export_file, version_file
from datasets.forms import DatasetForm, ExampleForm, FreezeForm, ImportForm
from datasets.freezing import freeze
from datasets.importing import take_in_file
from datasets.models import Dataset, Example, Import, Version
from datasets.personal import Findings, labelled, listed, marked
from datasets.states import ExampleState

PAGE = 25


@login_required
def datasets(request, pk):
    course = find(Course, pk, request.user, to="read")
    form = DatasetForm(request.POST or None, initial={"title": course.title})
    if request.method == "POST":
        find(Course, pk, request.user, to="edit")
        if form.is_valid():
            dataset = Dataset.objects.start(course, by=request.user, **form.cleaned_data)
            return redirect("dataset", dataset.pk)
    rows = Dataset.objects.of(course).with_counts()
    context = {"course": course, "step": "datasets", "datasets": rows, "form": form}
    return render(request, "datasets/datasets.html", context)


@require_safe
@login_required
def dataset(request, pk):
    dataset = find(Dataset, pk, request.user)
    wanted, personal = request.GET.get("state", ""), request.GET.get("personal") == "1"
    rows = dataset.examples.in_state(wanted).select_related("section").prefetch_related("citations")
    findings = Findings.of(dataset) if "freeze" in rights(request.user, dataset.course) else None
    context = {
        "course": dataset.course,
        "step": "datasets",
        "dataset": Dataset.objects.with_counts().get(pk=dataset.pk),
        "examples": Paginator(rows.with_personal() if personal else rows, PAGE).get_page(
            request.GET.get("page")
        ),
        "wanted": wanted,
        "personal": personal,
        "findings": findings,
        "states": ExampleState.choices,
        "import_form": ImportForm(),
        "freeze_form": FreezeForm(asks=bool(findings)),
        "versions": dataset.versions.all(),
        "settings_form": DatasetForm(instance=dataset),
    }
    return render(request, "datasets/dataset.html", context)


@require_POST
@login_required
def dataset_change(request, pk):
    dataset = find(Dataset, pk, request.user, to="edit")
    form = DatasetForm(request.POST, instance=dataset)
    if form.is_valid():
        form.save()
    else:
        messages.error(request, form.errors.as_text())
    return redirect("dataset", dataset.pk)


@require_POST
@login_required
def dataset_build(request, pk):
    dataset = find(Dataset, pk, request.user, to="edit")
    made = dataset.build(by=request.user).made
    text = (
        ngettext("%d example is built from the texts.", "%d examples are built from the texts.", made) % made
    )
    messages.success(request, text if made else _("Nothing new: every pair in the texts is here already."))
    return redirect("dataset", dataset.pk)


@require_POST
@login_required
def dataset_import(request, pk):
    dataset = find(Dataset, pk, request.user, to="edit")
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose a JSONL file."))
        return redirect("dataset", dataset.pk)
    report = take_in_file(dataset, form.cleaned_data["file"], request.user, form.cleaned_data["skip_bad"])
    return redirect("import", report.pk)


@require_safe
@login_required
def import_(request, pk):
    report = find(Import, pk, request.user)
    context = {"course": report.dataset.course, "step": "datasets", "report": report}
    return render(request, "datasets/import.html", context)


@require_safe
@login_required
def dataset_export(request, pk):
    return export_file(find(Dataset, pk, request.user))


@require_POST
@login_required
def drafts_approve(request, pk):
    dataset = find(Dataset, pk, request.user, to="review")
    count = dataset.approve_drafts(by=request.user)
    messages.success(request, ngettext("%d example is approved.", "%d examples are approved.", count) % count)
    return redirect("dataset", dataset.pk)


@login_required
def example_new(request, pk):
    dataset = find(Dataset, pk, request.user, to="edit")
    form = ExampleForm(request.POST or None)
    if form.is_valid():
        values = form.cleaned_data
        example = dataset.write(values["chat"], by=request.user, rejected=values["rejected"])
        return redirect("example", example.pk)
    context = {"course": dataset.course, "step": "datasets", "dataset": dataset, "form": form}
    return render(request, "datasets/example_new.html", context)


@login_required
def example(request, pk):
    example = find(Example, pk, request.user)
    form = ExampleForm(request.POST) if request.method == "POST" else ExampleForm.of(example)
    if request.method == "POST":
        find(Example, pk, request.user, to="edit")
        if form.is_valid():
            values = form.cleaned_data
            example.rewrite(values["chat"], by=request.user, rejected=values["rejected"])
            return redirect("example", example.pk)
    context = {
        "course": example.dataset.course,
        "step": "datasets",
        "dataset": example.dataset,
        "example": example,
        "dialogue": marked(example),
        "findings": listed(example),
        "worse": text_of(example.rejected) if example.rejected else "",
        "citations": example.citations.select_related("passage__text", "passage__section"),
        "reviews": example.reviews.select_related("person"),
        "form": form,
        "next": example.dataset.examples.filter(state="draft", pk__gt=example.pk).first(),
    }
    return render(request, "datasets/example.html", context)


@require_POST
@login_required
def example_decide(request, pk, decision):
    example = find(Example, pk, request.user, to="review")
    verb = {"approve": example.approve, "reject": example.reject}[decision]
    verb(by=request.user, note=request.POST.get("note", ""))
    following = example.dataset.examples.filter(state="draft", pk__gt=example.pk).first()
    return redirect("example", (following or example).pk)


@require_POST
@login_required
def example_redact(request, pk):
    example = find(Example, pk, request.user, to="edit")
    example.redact(by=request.user)
    messages.success(
        request, _("Placeholders stand where personal data stood. Check the example, it is a draft.")
    )
    return redirect("example", example.pk)


@require_POST
@login_required
def example_remove(request, pk):
    example = find(Example, pk, request.user, to="edit")
    example.remove(by=request.user)
    return redirect("dataset", example.dataset_id)


@require_POST
@login_required
def version_new(request, pk):
    dataset = find(Dataset, pk, request.user, to="freeze")
    form = FreezeForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.errors.as_text())
        return redirect("dataset", dataset.pk)
    version = freeze(dataset, by=request.user, **form.cleaned_data)
    return redirect("version", version.pk)


@require_safe
@login_required
def version(request, pk):
    version = find(Version, pk, request.user)
    lengths = list(version.examples.values_list("tokens", flat=True))
    context = {
        "course": version.dataset.course,
        "step": "datasets",
        "version": version,
        "histogram": histogram(_("Tokens an example"), buckets_of(lengths), _("tokens")),
        "buckets": buckets_of(lengths),
        "offers": offers(version),
        "personal": labelled(version.checks.get("personal", {})),
        "jobs": version.jobs.select_related("model"),
    }
    return render(request, "datasets/version.html", context)


@require_safe
@login_required
def version_download(request, pk, split):
    return version_file(find(Version, pk, request.user), split, request.GET.get("preferences") == "1")
