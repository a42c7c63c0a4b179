from django.urls import path

from courses import views

urlpatterns = [
    path("", views.courses, name="courses"),
    path("courses/new/", views.course_new, name="course_new"),
    path("courses/<int:pk>/", views.course, name="course"),
    path("courses/<int:pk>/texts/", views.texts, name="texts"),
    path("courses/<int:pk>/texts/upload/", views.texts_upload, name="texts_upload"),
    path("texts/<int:pk>/", views.text, name="text"),
    path("texts/<int:pk>/remove/", views.text_remove, name="text_remove"),
    path("courses/<int:pk>/members/", views.members, name="members"),
    path("members/<int:pk>/remove/", views.member_remove, name="member_remove"),
]
