"""An instructor goes from sign-in to chatting with the tuned demo model, in a browser, by clicking."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.journey.site import EMAIL

pytestmark = pytest.mark.browser
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A new window; what its console complains of fails the test."""
    window = browser.new_context(viewport={"width": 1200, "height": 900})
    page, complaints = window.new_page(), []
    page.on(
        "console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(60_000)
    yield page
    window.close()
    assert not complaints


def sign_in(page, site):
    page.goto(site.url)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My courses")).to_be_visible()


def test_from_sign_in_to_chatting_with_the_tuned_model(page, site):
    sign_in(page, site)
    page.get_by_role("link", name="The Keeper's Book of Thole Skerry").click()
    expect(page.get_by_role("link", name="The Watches")).to_be_visible()
    page.get_by_role("link", name="Examples", exact=True).click()
    page.get_by_role("link", name="The Keeper's Book of Thole Skerry").last.click()
    if page.get_by_role("button", name="Approve all drafts").is_visible():
        page.get_by_role("button", name="Approve all drafts").click()
    page.get_by_label("I have looked at it").check()  # the book names its keeper
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("img", name="Tokens an example")).to_be_visible()
    page.get_by_role("link", name="Train on this version").click()
    page.get_by_role("link", name="Advanced").click()
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("img", name="Loss")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Evaluate: did it help?").click(timeout=180_000)
    page.get_by_role("button", name="Make an assistant of it").click(timeout=180_000)
    page.get_by_role("button", name="Publish to everyone on the course").click()
    page.get_by_label("Your question").fill("What is the ember watch?")
    page.get_by_role("button", name="Ask both").click()
    answers = page.locator("[data-answer]:not(.waiting)")
    expect(answers).to_have_count(2, timeout=90_000)
    assert answers.nth(0).inner_text().strip()


def test_the_chat_page_works_without_javascript(browser, site, published):
    window = browser.new_context(java_script_enabled=False)
    page = window.new_page()
    sign_in(page, site)
    page.goto(f"{site.url}/assistants/{published}/")
    page.get_by_label("Your question").fill("Who keeps the light?")
    page.get_by_role("button", name="Ask both").click()
    expect(page.locator(".question").last).to_have_text("Who keeps the light?")
    assert page.locator(".side.tuned p").last.inner_text() not in ("", "—")
    window.close()


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_page_is_wider_than_a_telephone(browser, site, published, language):
    window = browser.new_context(viewport={"width": 390, "height": 800})
    page = window.new_page()
    sign_in(page, site)
    if language == "ru":
        page.get_by_role("button", name="Русский").click()
    for path in ("/", "/courses/1/texts/", "/courses/1/datasets/", "/datasets/1/", "/examples/1/", "/versions/1/",
                 "/courses/1/jobs/", "/jobs/1/", "/courses/1/evaluations/", f"/assistants/{published}/",
                 "/courses/1/members/", "/tokens/"):  # fmt: skip
        assert page.goto(site.url + path).status == 200
        assert (
            page.evaluate_handle("document.documentElement").get_property("scrollWidth").json_value() <= 390
        ), path
    if language == "ru":
        page.get_by_role("button", name="English").click()
    window.close()
