"""What providers do wrong, by name: `there.when("POST /fine_tuning/jobs", **FAULTS["accept then drop"])`.

`accepted` are those after which the request has been carried out.
"""

from email.utils import formatdate
from time import time

HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"


def busy_until(seconds):
    """429 with the date on which to come back."""
    return {"status": 429, "headers": {"Retry-After": formatdate(time() + seconds, usegmt=True)}}


FAULTS = {
    "drop": {"drop": "before"},
    "accept then drop": {"drop": "after"},
    "500": {"status": 500},
    "accept then 500": {"status": 500, "accept": True},
    "accept then slow": {"slow": 2},
    "429 with seconds": {"status": 429, "headers": {"Retry-After": "1"}},
    "429 with a date": busy_until(2),
    "503": {"status": 503},
    "409": {"status": 409},
    "HTML 502": {"status": 502, "text": HTML, "headers": {"Content-Type": "text/html"}},
    "accept then HTML 502": {
        "status": 502, "text": HTML, "headers": {"Content-Type": "text/html"}, "accept": True,
    },
    "accept then half of the JSON": {"cut": 25},
    "accept then HTML 200": {"text": HTML, "headers": {"Content-Type": "text/html"}, "accept": True},
    "400": {"status": 400, "error": {"code": "invalid_training_file", "message": "Row 1 is no chat."}},
    "403 closed": {"status": 403, "error": {"code": "training_not_available", "message": "Closed."}},
}  # fmt: skip
ACCEPTED = [name for name in FAULTS if name.startswith("accept")]
