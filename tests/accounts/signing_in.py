"""Going through the doors as a person does: a form with email and password, a code of the app."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value

from accounts.adapter import SecondFactor
from tests.doors import api

PASSWORD = "a lamp on the far rock"
PERIOD = 30


def sign_in(browser, email="ann@example.org", password=PASSWORD, **more):
    return browser.post("/sign-in/", {"login": email, "password": password, **more})


def ask_for_token(email="ann@example.org", password=PASSWORD, **more):
    return api().post("/api/sign-in/", {"email": email, "password": password, **more}, format="json")


def is_inside(browser):
    return browser.get("/profile/").status_code == 200


def confirm(browser, password=PASSWORD):
    """The password once more, before what touches the safety of the account."""
    return browser.post("/security/confirm/", {"password": password, "next": "/security/"})


def turn_on_second_factor(person):
    """(secret, recovery codes) as the page makes them."""
    secret = generate_totp_secret()
    data = {"secret": SecondFactor().encrypt(secret)}
    Authenticator.objects.create(user=person, type="totp", data=data)
    seed = {"seed": SecondFactor().encrypt("0123456789abcdef"), "used_mask": 0}
    codes = Authenticator.objects.create(user=person, type="recovery_codes", data=seed)
    return secret, codes.wrap().generate_codes()


def code_now(secret):
    """The code that the app shows, with some seconds left to use it."""
    left = PERIOD - time.time() % PERIOD
    if left < 5:
        time.sleep(left + 0.1)
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD))
