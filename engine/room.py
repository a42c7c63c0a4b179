"""Room on the disk: whether a training will fit, and which errors say that nothing more does."""

import errno
import re
import shutil
import sqlite3

from safetensors import safe_open

from engine.hyperparameters import RANK

# Quotas and limits of a file's size stop a writer as a full disk does.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# A trainer that cannot write ends with this status: its log takes no last word either.
EXIT_STATUS = errno.ENOSPC
FLOAT = 4  # bytes
# The state holds an adapter and two numbers of the optimizer for each of its weights.
STATE = 3


def is_full(error):
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    # safetensors tells the number in its message only.
    told = re.search(r"os error (\d+)", str(error))
    return (int(told[1]) if told else getattr(error, "errno", None)) in FULL


def disk_full(folder):
    return f"The engine's disk is full: {_mb(_free(folder))} are free. Make room, then create the job again."


def lack(base, folder, checkpoints):
    """What to tell where the disk is too small for a training with so many checkpoints, else None."""
    adapter = adapter_bytes(base)
    # One checkpoint more before the oldest goes, and the final model; a state is written beside the old one.
    needed = adapter * (checkpoints + 2 + 2 * STATE) - _written(folder)
    if needed > (free := _free(folder)):
        does_not_fit = f"The training writes {_mb(needed)}, and {_mb(free)} are free on the engine's disk."
        return f"{does_not_fit} Make room, then create the job again."


def adapter_bytes(base):
    """What an adapter of this base model's folder takes, about: all its matrices but those of the vocabulary."""
    total = 0
    for path in base.glob("*.safetensors"):
        with safe_open(path, "numpy") as weights:
            shapes = {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118
        inner = [shape for name, shape in shapes.items() if "embed" not in name and "lm_head" not in name]
        total += sum(RANK * sum(shape) * FLOAT for shape in inner if len(shape) == 2)
    return total


def _written(folder):
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def _free(folder):
    return shutil.disk_usage(folder).free


def _mb(size):
    return f"{max(size, 0) / 2**20:,.0f} MB"
