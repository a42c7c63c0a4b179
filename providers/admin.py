from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from common.admin import ReadOnly
from providers import client
from providers.errors import ProviderError
from providers.models import Budget, LedgerEntry, Model, Price, Provider, Upload


class ProviderForm(forms.ModelForm):
    new_key = forms.CharField(
        label=_("New key"), required=False, widget=forms.PasswordInput, help_text=_("Leave empty to keep it.")
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
class ProviderAdmin(admin.ModelAdmin):
    form = ProviderForm
    list_display = ["name", "kind", "base_url", "key_ending", "is_active"]
    readonly_fields = ["key_ending"]
    actions = ["test_connection"]

    @admin.action(description=_("Test the connection"))
    def test_connection(self, request, queryset):
        for provider in queryset:
            try:
                names = client.model_names(provider)
            except ProviderError as error:
                self.message_user(request, f"{provider}: {error.text}", messages.ERROR)
            else:
                self.message_user(request, f"{provider}: {', '.join(names[:8])}")


class PriceInline(admin.TabularInline):
    model = Price
    extra = 0


@admin.register(Model)
class ModelAdmin(admin.ModelAdmin):
    list_display = ["name", "provider", "context_tokens", "train_until", "serve_until", "trainable"]
    list_filter = ["provider", "trainable"]
    search_fields = ["name"]
    inlines = [PriceInline]


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):
    list_display = ["course", "month", "limit", "held"]
    readonly_fields = ["held"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly):
    list_display = ["at", "course", "purpose", "model", "tokens", "estimate", "reserved", "settled"]
    list_filter = ["purpose", "month"]


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ["remote_id", "provider", "sha256", "bytes", "sent"]
