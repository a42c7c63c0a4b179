"""The processes that train one job together, each on its share of every batch: torchrun starts and numbers them.

A trainer that is alone is the first of one.
"""

import os

import torch
from torch import distributed

TOGETHER = distributed.is_torchelastic_launched()
RANK = int(os.environ["RANK"]) if TOGETHER else 0
COUNT = int(os.environ["WORLD_SIZE"]) if TOGETHER else 1
FIRST = RANK == 0  # it alone keeps files


def meet():
    """Wait for the others. From here on all take the same steps, and these calls, in the same order."""
    if not TOGETHER:
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def share(examples):
    """Every COUNTth, so that each gets long ones and short ones; none where there are fewer examples."""
    return sorted(examples, key=lambda example: example.width)[RANK::COUNT]


def sums(values):
    """Each of the numbers, added up over all processes."""
    if not TOGETHER:
        return values
    tensor = torch.tensor(values, dtype=torch.float64)
    if torch.cuda.is_available():
        tensor = tensor.cuda()
    distributed.all_reduce(tensor)
    return tensor.tolist()


def add_gradients(weights):
    """Leave each process with the gradients of all."""
    if not TOGETHER:
        return
    gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    parts = flat.split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.grad = part.view_as(weight)


def any_of(flag):
    """True for all where it is true for one."""
    [number] = sums([int(flag)])
    return number > 0


def wait():
    """Until all are here."""
    sums([0])
