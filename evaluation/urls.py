from django.urls import path

from evaluation import views

urlpatterns = [
    path("courses/<int:pk>/evaluations/", views.evaluations, name="evaluations"),
    path("courses/<int:pk>/parity/", views.parity, name="parity"),
    path("models/<int:pk>/evaluate/", views.evaluation_new, name="evaluation_new"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/cancel/", views.evaluation_cancel, name="evaluation_cancel"),
]
