"""The admin in a browser: its strict Content-Security-Policy is broken by none of its pages."""

import pytest
from playwright.sync_api import expect, sync_playwright

from accounts.models import User
from tests.doors import pages

pytestmark = pytest.mark.browser
BAD = ("error", "warning")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture
def session(live_server, root, filled, editor, language):
    """(cookie of a superuser, the pages to open): the database is left alone while the browser runs."""
    User.objects.filter(pk=root.pk).update(language=language)
    group = filled.coursegrouppermission_set.get().group
    course, people = f"/admin/courses/course/{filled.pk}", "/admin/accounts/user"
    cookie = pages(root).cookies["sessionid"].value
    return cookie, [
        "/admin/", "/admin/courses/course/", f"{course}/change/", f"{course}/delete/", f"{course}/history/",
        f"{course}/permissions/", f"{course}/permissions/user-manage/{editor.pk}/",
        f"{course}/permissions/group-manage/{group.pk}/",
        f"{people}/", f"{people}/add/", f"{people}/{editor.pk}/change/", f"{people}/{editor.pk}/password/",
        "/admin/courses/service/", "/admin/finetuning/job/", "/admin/providers/provider/add/", "/admin/providers/model/add/",
        "/admin/accounts/auditentry/", "/admin/auth/group/add/", "/admin/providers/budget/add/",
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
@pytest.mark.django_db(transaction=True)
def test_no_page_breaks_the_policy(session, live_server, chromium, language, scheme):
    cookie, addresses = session
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        window = browser.new_context(color_scheme=scheme)
        window.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = window.new_page()
        page.on("console", lambda line: line.type in BAD and complaints.append((page.url, line.text)))
        page.on("pageerror", lambda error: complaints.append((page.url, str(error))))
        for address in addresses:
            answer = page.goto(live_server.url + address)
            assert answer.status == 200 and page.locator("#content").count() == 1, address
            assert page.locator("html").get_attribute("lang") == language
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        page.goto(f"{live_server.url}/admin/finetuning/job/")
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("cancel")
        page.locator("button[name=index]").click()
        expect(page.locator(".messagelist li").first).to_be_visible()
        browser.close()
    assert not complaints, complaints
