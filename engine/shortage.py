"""Memory that does not suffice: who goes first, how much a training may take, and how a lack is told."""

import errno
import resource
from contextlib import suppress
from pathlib import Path

# PyTorch's allocators, the operating system and CUDA's libraries say it in these words.
NO_MEMORY = ("allocate memory", "out of memory", "alloc_failed")


def go_first():
    """Where the machine's memory ends, the kernel is to kill this process and no other."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit_memory(megabytes):
    """This process may hold so many MB beside the files it reads; 0 for any number."""
    if megabytes:
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, megabytes * 2**20))


def is_out_of_memory(error):
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)


def out_of_memory(megabytes):
    limit = f" It may hold {megabytes} MB (ENGINE_TRAINING_MEMORY_MB)." if megabytes else ""
    advice = "Use shorter examples or a smaller model, or give it more memory."
    return f"The training ran out of memory.{limit} {advice}"
