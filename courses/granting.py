"""Bring what guardian holds up to the table of roles, after a change of the table."""

from django.apps import apps

from accounts.roles import ACTIONS, actions_of, codename


def renew():
    """Give every member what the table says and take the rest away; who has no role is left alone."""
    grants = apps.get_model("courses", "CourseUserPermission").objects
    members = apps.get_model("courses", "Membership").objects.values_list("user", "course", "role")
    known = _permissions()
    roles = {(user, course): role for user, course, role in members}
    meant = {(*who, known[codename(action)]) for who, role in roles.items() for action in actions_of(role)}
    held = {row[1:]: row[0] for row in grants.values_list("pk", "user", "content_object", "permission")}
    spare = [held[each] for each in held.keys() - meant if each[:2] in roles]
    grants.filter(pk__in=spare).delete()
    grants.bulk_create(
        grants.model(user_id=user, content_object_id=course, permission_id=permission)
        for user, course, permission in meant - held.keys()
    )


def _permissions() -> dict:
    """{codename: key} of what can be granted on a course."""
    ours = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="courses", codename__in=map(codename, ACTIONS)
    )
    return dict(ours.values_list("codename", "pk"))
