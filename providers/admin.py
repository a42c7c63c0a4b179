import json

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from accounts.audited import Audited
from common.admin import ReadOnly, act
from courses.models import Course
from providers.capabilities import BASE
from providers.catalogue import check
from providers.models import Budget, Delivery, Hook, HookCall, LedgerEntry, Model, Price, Provider, Upload
from providers.probing import probe, result_of
from providers.rotating import rotate_key
from providers.webhooks import check_secret


class ProviderForm(forms.ModelForm):
    new_key = forms.CharField(
        label=_("New key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty to keep it. Another address takes the key away: enter it anew."),
    )
    new_webhook_secret = forms.CharField(
        label=_("New secret of its webhook"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        validators=[check_secret],
        help_text=_("As the provider shows it, whsec_ and more. Leave empty to keep it."),
    )

    class Meta:
        model = Provider
        fields = ["name", "kind", "base_url", "capabilities", "is_active"]

    def save(self, commit=True):
        if self.cleaned_data["new_key"]:
            self.instance.key = self.cleaned_data["new_key"]
        if self.cleaned_data["new_webhook_secret"]:
            self.instance.webhook_secret = self.cleaned_data["new_webhook_secret"]
        return super().save(commit)


@admin.register(Provider)
class ProviderAdmin(Audited):
    form = ProviderForm
    untold = frozenset({"new_key", "new_webhook_secret"})
    list_display = ["name", "kind", "base_url", "key_ending", "is_active", "works", "tested", "rests_until"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "base_url"]
    readonly_fields = [
        "key_ending",
        "can_do",
        "result",
        "tested",
        "failures",
        "rests_until",
        "models_checked",
        "webhook",
    ]
    actions = ["test_connection", "check_models", "rotate"]

    def save_model(self, request, obj, form, change):
        had = change and Provider.objects.get(pk=obj.pk).key
        super().save_model(request, obj, form, change)
        if had and not obj.key:
            text = _("The key belonged to the old address and is gone. Enter the key for the new one.")
            self.message_user(request, text, messages.WARNING)

    @admin.display(description=_("works"), boolean=True)
    def works(self, provider):
        return provider.test_result.get("outcome") == "good" if provider.test_result else None

    @admin.display(description=_("last test"))
    def result(self, provider):
        return result_of(provider)

    @admin.display(description=_("what it can do"))
    def can_do(self, provider):
        told = ((name, json.dumps(provider.can(name))) for name in BASE)
        return format_html_join(mark_safe("<br>"), "{}: {}", told)

    @admin.display(description=_("webhook"))
    def webhook(self, provider):
        """Where the provider is to send it, once it has a secret."""
        if not provider.pk or not provider.can("webhooks"):
            return "-"
        address = f"{settings.SITE_URL}{reverse('webhook', args=[provider.pk])}"
        return address if provider.webhook_secret else _("%s (it has no secret yet)") % address

    @admin.action(description=_("Test the connection"), permissions=["act"])
    def test_connection(self, request, queryset):
        for provider in queryset:
            level = messages.SUCCESS if probe(provider, by=request.user) else messages.ERROR
            self.message_user(request, f"{provider}: {result_of(provider)}", level)

    @admin.action(description=_("Check the models’ dates"), permissions=["act"])
    def check_models(self, request, queryset):
        for provider in queryset:
            changes = check(provider, by=request.user)
            for change in changes:
                self.message_user(
                    request, str(change), messages.WARNING if change.problem else messages.SUCCESS
                )
            if not changes:
                self.message_user(request, _("%s: nothing has changed.") % provider)

    @admin.action(description=_("Encrypt the key anew"), permissions=["act"])
    def rotate(self, request, rows):
        act(self, request, rows, lambda row: rotate_key(row.pk, by=request.user))


class PriceInline(admin.TabularInline):
    model = Price
    extra = 0


@admin.register(Model)
class ModelAdmin(Audited):
    fields = [
        "provider", "name", "trainable", "context_tokens", "example_tokens", "languages", "licence", "train_until",
        "serve_until", "dates_source",
    ]  # fmt: skip
    list_display = [
        "name",
        "provider",
        "context_tokens",
        "example_tokens",
        "train_until",
        "serve_until",
        "trainable",
    ]
    list_filter = ["provider", "trainable", "train_until", "serve_until"]
    search_fields = ["name", "provider__name"]
    list_select_related = ["provider"]
    inlines = [PriceInline]


@admin.register(Price)
class PriceAdmin(Audited):
    list_display = ["id", "model", "what", "amount", "valid_from", "source"]
    list_filter = ["what"]
    search_fields = ["model__name", "source"]
    list_select_related = ["model__provider"]


@admin.register(Budget)
class BudgetAdmin(Audited):
    """Of one month of one course only the limit changes, as money is held against it."""

    named_by = [Course]
    list_display = ["id", "course", "month", "limit", "held"]
    list_filter = ["month"]
    search_fields = ["course__title"]
    list_select_related = ["course"]

    def get_readonly_fields(self, request, obj=None):
        return ["course", "month", "held"] if obj else ["held"]

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly):
    named_by = [Course]
    list_display = ["at", "course", "purpose", "model", "tokens", "estimate", "reserved", "settled", "by"]
    list_filter = ["purpose", "month"]
    search_fields = ["course__title", "model__name"]
    list_select_related = ["course", "model__provider", "by"]


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ["remote_id", "provider", "sha256", "bytes", "sent"]
    list_filter = ["provider"]
    search_fields = ["remote_id", "sha256"]
    list_select_related = ["provider"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ["webhook_id", "provider", "at"]
    list_filter = ["provider"]
    search_fields = ["webhook_id"]
    list_select_related = ["provider"]


@admin.register(Hook)
class HookAdmin(ReadOnly):
    named_by = [Course]
    list_display = ["id", "course", "url", "is_active", "since"]
    fields = ["course", "url", "is_active", "since"]
    list_filter = ["is_active"]
    search_fields = ["course__title", "url"]
    list_select_related = ["course"]
    actions = ["remove"]

    @admin.action(description=_("Remove the webhook"), permissions=["act"])
    def remove(self, request, rows):
        act(self, request, rows, lambda hook: hook.remove(by=request.user))


@admin.register(HookCall)
class HookCallAdmin(ReadOnly):
    list_display = ["id", "hook", "kind", "made", "attempts", "answered", "problem", "status"]
    list_filter = ["kind"]
    search_fields = ["hook__course__title", "hook__url"]
    list_select_related = ["hook"]
