from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("config.api")),
    path("", include("accounts.urls")),
    path("", include("courses.urls")),
    path("", include("datasets.urls")),
    path("", include("finetuning.urls")),
    path("", include("evaluation.urls")),
    path("", include("assistants.urls")),
]
