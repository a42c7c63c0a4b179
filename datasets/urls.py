from django.urls import path, re_path

from datasets import views

urlpatterns = [
    path("courses/<int:pk>/datasets/", views.datasets, name="datasets"),
    path("datasets/<int:pk>/", views.dataset, name="dataset"),
    path("datasets/<int:pk>/change/", views.dataset_change, name="dataset_change"),
    path("datasets/<int:pk>/build/", views.dataset_build, name="dataset_build"),
    path("datasets/<int:pk>/import/", views.dataset_import, name="dataset_import"),
    path("datasets/<int:pk>/export/", views.dataset_export, name="dataset_export"),
    path("datasets/<int:pk>/approve/", views.drafts_approve, name="drafts_approve"),
    path("datasets/<int:pk>/examples/new/", views.example_new, name="example_new"),
    path("datasets/<int:pk>/versions/new/", views.version_new, name="version_new"),
    path("imports/<int:pk>/", views.import_, name="import"),
    path("examples/<int:pk>/", views.example, name="example"),
    re_path(
        r"^examples/(?P<pk>\d{1,18})/(?P<decision>approve|reject)/$",
        views.example_decide,
        name="example_decide",
    ),
    path("examples/<int:pk>/redact/", views.example_redact, name="example_redact"),
    path("examples/<int:pk>/remove/", views.example_remove, name="example_remove"),
    path("versions/<int:pk>/", views.version, name="version"),
    path("versions/<int:pk>/files/<str:split>/", views.version_download, name="version_download"),
]
