"""The body of `POST /v1/fine_tuning/jobs`, checked."""

import secrets

from engine.api import fields
from engine.errors import invalid

PATIENCE = "early_stopping_patience"
HYPERPARAMETERS = {
    "n_epochs": (fields.integer, 1, 50),
    "batch_size": (fields.integer, 1, 256),
    "learning_rate_multiplier": (fields.number, 1e-9, 100),
    PATIENCE: (fields.integer, 1, 50),
}
METHODS = {
    "supervised": HYPERPARAMETERS,
    "dpo": HYPERPARAMETERS | {"beta": (fields.number, 0, 2)},
}
MAX_SEED = 2**31 - 1


def parse(body, bases, files):
    """The columns of the job that is wanted; raises ApiError."""
    if body.get("integrations"):
        raise invalid("integrations", "This server has no integrations.", "unsupported_parameter")
    seed = fields.integer(body, "seed", low=0, high=MAX_SEED)
    method, hyperparameters = _method(body)
    validation_file = _file(body, "validation_file", files, fields.text)
    if PATIENCE in hyperparameters and not validation_file:
        raise invalid(PATIENCE, f"'{PATIENCE}' needs a 'validation_file'.", "invalid_value")
    return {
        "model": _model(body, bases),
        "training_file": _file(body, "training_file", files, fields.required_text),
        "validation_file": validation_file,
        "method": method,
        "hyperparameters": hyperparameters,
        "seed": secrets.randbelow(MAX_SEED) if seed is None else seed,
        "suffix": _suffix(body),
        "metadata": _metadata(body),
    }


def _model(body, bases):
    name = fields.required_text(body, "model")
    if name not in bases:
        message = f"Model {name} is not available for fine-tuning or does not exist."
        raise invalid("model", message, "model_not_available")
    return name


def _file(body, name, files, take):
    id = take(body, name)
    if id is None:
        return None
    row = files.get(id)
    if row is None:
        raise invalid(name, f"invalid {name}: {id} does not exist", "file_not_found")
    if row["purpose"] != "fine-tune":
        raise invalid(name, f"invalid {name}: {id} has purpose '{row['purpose']}', not 'fine-tune'")
    return id


def _method(body):
    """Its name and hyperparameters, these from `method` or from the deprecated place at the top."""
    kind = "supervised"
    given, place = fields.mapping(body, "hyperparameters") or {}, "hyperparameters"
    method = fields.mapping(body, "method")
    if method is not None:
        kind = fields.required_text(method, "type")
        if kind not in METHODS:
            raise invalid("method.type", f"The method '{kind}' is not supported.", "unsupported_method")
        own = fields.mapping(fields.mapping(method, kind) or {}, "hyperparameters")
        if own:
            given, place = own, f"method.{kind}.hyperparameters"
    unknown = given.keys() - METHODS[kind].keys()
    if unknown:
        name = f"{place}.{min(unknown)}"
        raise invalid(name, f"Unknown parameter: '{name}'.", "unknown_parameter")
    numbers = {name: _auto_or_number(given, name, *rule) for name, rule in METHODS[kind].items()}
    if numbers[PATIENCE] == "auto":
        # It is off, and only an answer to those who asked for it tells of it.
        del numbers[PATIENCE]
    return kind, numbers


def _auto_or_number(given, name, take, low, high):
    if given.get(name, "auto") in ("auto", None):
        return "auto"
    return take(given, name, low=low, high=high)


def _suffix(body):
    suffix = fields.text(body, "suffix", at_most=64)
    if suffix is not None and (not suffix.isprintable() or set(suffix) & set(":/ ")):
        raise invalid("suffix", "'suffix' may not hold spaces, colons, slashes or control characters.")
    return suffix


def _metadata(body):
    metadata = fields.mapping(body, "metadata")
    if metadata is None:
        return None
    if len(metadata) > 16:
        raise invalid("metadata", "'metadata' may have at most 16 pairs.")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid(f"metadata.{key[:64]}", "Values of 'metadata' must be strings.", "invalid_type")
        if not 1 <= len(key) <= 64 or len(value) > 512:
            message = "Keys of 'metadata' have 1 to 64 characters, values at most 512."
            raise invalid(f"metadata.{key[:64]}", message)
    return metadata
