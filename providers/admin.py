from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from accounts.audited import Audited
from common.admin import ReadOnly, act
from providers import client
from providers.errors import ProviderError
from providers.models import Budget, LedgerEntry, Model, Price, Provider, Upload
from providers.rotating import rotate_key


class ProviderForm(forms.ModelForm):
    new_key = forms.CharField(
        label=_("New key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave empty to keep it."),
    )

    class Meta:
        model = Provider
        fields = ["name", "kind", "base_url", "capabilities", "is_active"]

    def save(self, commit=True):
        """A key belongs to an address: another address takes it away."""
        if "base_url" in self.changed_data:
            self.instance.key = ""
        if self.cleaned_data["new_key"]:
            self.instance.key = self.cleaned_data["new_key"]
        return super().save(commit)


@admin.register(Provider)
class ProviderAdmin(Audited):
    form = ProviderForm
    untold = frozenset({"new_key"})
    list_display = ["name", "kind", "base_url", "key_ending", "is_active", "failures", "rests_until"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "base_url"]
    readonly_fields = ["key_ending", "failures", "rests_until"]
    actions = ["test_connection", "rotate"]

    @admin.action(description=_("Test the connection"), permissions=["act"])
    def test_connection(self, request, queryset):
        for provider in queryset:
            try:
                names = client.model_names(provider)
            except ProviderError as error:
                self.message_user(request, f"{provider}: {error.text}", messages.ERROR)
            else:
                self.message_user(request, f"{provider}: {', '.join(names[:8])}")

    @admin.action(description=_("Encrypt the key anew"), permissions=["act"])
    def rotate(self, request, rows):
        act(self, request, rows, lambda row: rotate_key(row.pk, by=request.user))


class PriceInline(admin.TabularInline):
    model = Price
    extra = 0


@admin.register(Model)
class ModelAdmin(Audited):
    list_display = ["name", "provider", "context_tokens", "train_until", "serve_until", "trainable"]
    list_filter = ["provider", "trainable"]
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
