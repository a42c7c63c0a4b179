from django.urls import path

from providers.costs import views
from providers.hooks import views as hooks

urlpatterns = [
    path("courses/<int:pk>/costs/", views.costs, name="costs"),
    path("courses/<int:pk>/costs.csv", views.costs_csv, name="costs_csv"),
    path("courses/<int:pk>/budget/", views.budget, name="budget"),
    path("courses/<int:pk>/webhook/", hooks.hook, name="hook"),
    path("courses/<int:pk>/webhook/secret/", hooks.hook_secret, name="hook_secret"),
    path("courses/<int:pk>/webhook/test/", hooks.hook_test, name="hook_test"),
    path("courses/<int:pk>/webhook/remove/", hooks.hook_remove, name="hook_remove"),
]
