from django.urls import path, re_path

from assistants import views

urlpatterns = [
    path("courses/<int:pk>/assistants/", views.assistants, name="assistants"),
    path("models/<int:pk>/assistant/", views.assistant_new, name="assistant_new"),
    path("assistants/<int:pk>/", views.assistant, name="assistant"),
    path("assistants/<int:pk>/ask/", views.assistant_ask, name="assistant_ask"),
    re_path(
        r"^messages/(?P<pk>\d{1,18})/(?P<side>tuned|base)/$", views.assistant_answer, name="assistant_answer"
    ),
    path("assistants/<int:pk>/publish/", views.assistant_publish, name="assistant_publish"),
    path("assistants/<int:pk>/approve/", views.assistant_approve, name="assistant_approve"),
    path("assistants/<int:pk>/archive/", views.assistant_archive, name="assistant_archive"),
    path("assistants/<int:pk>/restore/", views.assistant_restore, name="assistant_restore"),
    path("assistants/<int:pk>/withdraw/", views.assistant_withdraw, name="assistant_withdraw"),
]
