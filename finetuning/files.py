"""The files of a job: what is sent for it, and where the same bytes can be fetched here."""

from dataclasses import dataclass

from finetuning.sending import SENT_SPLITS as SENT
from finetuning.sending import files_of, name_of
from providers.models import Upload


@dataclass
class SentFile:
    split: str
    name: str
    bytes: int
    sha256: str
    remote_id: str = ""


def sent_files(job) -> list[SentFile]:
    """Training and validation file as the provider gets them; without its id for them until they are sent."""
    files = {split: frozen for split in SENT if (frozen := job.version.files[split])["bytes"]}
    if job.provider.can("bom") or job.is_dpo:
        files = {
            split: {"sha256": sha256, "bytes": len(data)} for split, (sha256, data) in files_of(job).items()
        }
    uploads = Upload.objects.filter(
        provider=job.provider, sha256__in=[each["sha256"] for each in files.values()]
    )
    ids = dict(uploads.values_list("sha256", "remote_id"))
    return [
        SentFile(
            split,
            name_of(split, file["sha256"]),
            file["bytes"],
            file["sha256"],
            ids.get(file["sha256"], ""),
        )
        for split, file in files.items()
    ]
