import time


def wait_for(what, patience=10):
    """Return once `what()` is true."""
    ends = time.monotonic() + patience
    while not what():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)
