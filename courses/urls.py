from django.urls import path

from courses import views
from courses.people import keeping
from courses.people import views as people

urlpatterns = [
    path("", views.courses, name="courses"),
    path("courses/new/", views.course_new, name="course_new"),
    path("courses/<int:pk>/", views.course, name="course"),
    path("courses/<int:pk>/texts/", views.texts, name="texts"),
    path("courses/<int:pk>/texts/upload/", views.texts_upload, name="texts_upload"),
    path("texts/<int:pk>/", views.text, name="text"),
    path("texts/<int:pk>/remove/", views.text_remove, name="text_remove"),
    path("courses/<int:pk>/notices/", views.notices, name="notices"),
    path("notices/<int:pk>/put-away/", views.notice_put_away, name="notice_put_away"),
    path("courses/<int:pk>/members/", people.members, name="members"),
    path("members/<int:pk>/change/", people.member_change, name="member_change"),
    path("members/<int:pk>/remove/", people.member_remove, name="member_remove"),
    path("courses/<int:pk>/leave/", people.course_leave, name="course_leave"),
    path("courses/<int:pk>/hand-over/", people.course_hand_over, name="course_hand_over"),
    path("courses/<int:pk>/roles/", people.roles, name="roles"),
    path("courses/<int:pk>/invitations/", people.invitations, name="invitations"),
    path("invitations/<int:pk>/revoke/", people.invitation_revoke, name="invitation_revoke"),
    path("join/<str:secret>/", people.join, name="join"),
    path("courses/<int:pk>/services/", keeping.services, name="services"),
    path("services/<int:pk>/token/", keeping.service_token, name="service_token"),
    path(
        "services/<int:pk>/tokens/<int:token>/revoke/",
        keeping.service_token_revoke,
        name="service_token_revoke",
    ),
    path("services/<int:pk>/remove/", keeping.service_remove, name="service_remove"),
    path("courses/<int:pk>/audit/", people.audit, name="audit"),
    path("courses/<int:pk>/audit.csv", people.audit_csv, name="audit_csv"),
    path("courses/<int:pk>/settings/", keeping.course_settings, name="course_settings"),
    path("courses/<int:pk>/two-person/", keeping.course_two_person, name="course_two_person"),
    path("courses/<int:pk>/remove/", keeping.course_remove, name="course_remove"),
]
