from django.urls import path

from providers.costs import views

urlpatterns = [
    path("courses/<int:pk>/costs/", views.costs, name="costs"),
    path("courses/<int:pk>/costs.csv", views.costs_csv, name="costs_csv"),
    path("courses/<int:pk>/budget/", views.budget, name="budget"),
]
