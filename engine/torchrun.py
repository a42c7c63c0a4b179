"""`python -m engine.torchrun N JOBDIR`: torchrun with N trainers, which ends with the server and as they end."""

import json
import logging
import os
import signal
import sys
from pathlib import Path

from engine.process import LAUNCHER, check_parent, die_with_parent

# Only the server decides when trainers end.
os.environ |= {"TORCHELASTIC_SIGNALS_TO_HANDLE": "SIGTERM", LAUNCHER: str(os.getpid())}

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main(count, folder):
    server = json.loads((Path(folder) / "job.json").read_text())["server"]
    if server:
        die_with_parent()
        check_parent(server)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The last words in the log are to be the trainer's.
    logging.disable()
    options = ["--standalone", "--local-addr=127.0.0.1", f"--nproc-per-node={count}"]
    try:
        run.run(run.parse_args([*options, "-m", "engine.trainer", folder]))
    except SignalException as error:
        sys.exit(128 + error.sigval)
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        if first.exitcode < 0:
            os.kill(os.getpid(), -first.exitcode)
        sys.exit(first.exitcode)


if __name__ == "__main__":
    main(*sys.argv[1:])
