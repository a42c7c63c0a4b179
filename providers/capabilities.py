"""What differs between providers, as data: a kind differs from BASE, a provider's own record from its kind."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

BASE = {
    "trains": True,
    "methods": ["supervised"],
    "hyperparameters": "method",    # where they stand in the request: in `method`, or at the "top"
    "learning_rate": "multiplier",  # of the provider's own rate, or "absolute"
    "lora": False,                  # takes LoRA settings
    "early_stopping": False,        # ends a training whose validation loss no longer falls, where asked to
    "batch_most": 256,
    "seed": True,
    "suffix_length": 40,
    "suffix_pattern": r"[A-Za-z0-9_-]*",
    "bom": False,                   # wants training files to begin with a byte order mark
    "extra_body": {},               # sent with every job
    "metadata": True,               # keeps our mark and returns it
    "metadata_filter": True,        # lists jobs by it
    "events": True,
    "event_metrics": True,
    "checkpoints": True,
    "checkpoint_metrics": True,
    "results_file": "csv",          # "" where there is none, "base64" where the CSV is wrapped so
    "pause": False,
    "webhooks": False,
    "files_content": True,
    "files_delete": True,
    "one_at_a_time": False,         # refuses a job while another runs
    "names_model": "job",           # what names the tuned model: the job, or its last "checkpoint"
    "deploy": "",                   # before use: nothing, "manual" by a person there, or "models_v0" by us
    "deploy_body": {},              # sent with every such deployment
    "moderation": False,            # refuses whole files for what some rows say
}  # fmt: skip

KINDS = {
    "engine": BASE | {"methods": ["supervised", "dpo"], "pause": True, "early_stopping": True},
    "openai": BASE | {
        "methods": ["supervised", "dpo"], "suffix_length": 64, "suffix_pattern": r"[A-Za-z0-9._-]*",
        "pause": True, "webhooks": True, "moderation": True,
    },
    "azure": BASE | {
        "methods": ["supervised", "dpo"], "suffix_length": 18, "bom": True,
        "extra_body": {"trainingType": "Standard"}, "pause": True, "deploy": "manual",
    },
    "nebius": BASE | {
        "hyperparameters": "top", "learning_rate": "absolute", "lora": True, "batch_most": 32,
        "event_metrics": False, "results_file": "", "names_model": "checkpoint", "deploy": "models_v0",
    },
    "crusoe": BASE | {"events": False, "event_metrics": False, "deploy": "manual"},
    "unsloth": BASE | {
        "metadata": False, "metadata_filter": False, "results_file": "", "files_content": False,
        "files_delete": False, "one_at_a_time": True,
    },
    "compatible": BASE,
}  # fmt: skip

CHOICES = {
    "hyperparameters": ("method", "top"),
    "learning_rate": ("multiplier", "absolute"),
    "results_file": ("", "csv", "base64"),
    "names_model": ("job", "checkpoint"),
    "deploy": ("", "manual", "models_v0"),
}


def capability(kind, own: dict, name: str):
    """What a provider of this kind with this record of its own can do; KeyError for a name that is none."""
    return own[name] if name in own and name in BASE else KINDS[kind][name]


def check_record(own):
    """ValidationError unless `own` is a record that names capabilities and gives each a value of its sort."""
    if not isinstance(own, dict):
        raise ValidationError(_('Write an object, such as {"pause": false}.'))
    for name, value in own.items():
        if name not in BASE:
            raise ValidationError(
                _("There is no capability “%(name)s”. There are: %(known)s.")
                % {"name": name, "known": ", ".join(BASE)}
            )
        if type(value) is not type(BASE[name]):
            raise ValidationError(
                _("“%(name)s” is to be like %(example)s.") % {"name": name, "example": repr(BASE[name])}
            )
        if name in CHOICES and value not in CHOICES[name]:
            known = ", ".join(f'"{choice}"' for choice in CHOICES[name])
            raise ValidationError(_("“%(name)s” is one of: %(known)s.") % {"name": name, "known": known})
