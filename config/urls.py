from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.login = secure_admin_login(admin.site.login)
handler404, handler500 = "config.errors.not_found", "config.errors.broken"
handler429 = "accounts.throttling.refuse"

urlpatterns = [
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("api/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("courses.urls")),
    path("", include("providers.urls")),
    path("", include("datasets.urls")),
    path("", include("finetuning.urls")),
    path("", include("evaluation.urls")),
    path("", include("assistants.urls")),
]
