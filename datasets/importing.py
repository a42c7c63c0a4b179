"""An uploaded JSONL file into examples, within bounds."""

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from common.states import Refused


def take_in_file(dataset, file, by=None, skip_bad=False):
    """`file` has `.name`, `.size` and `.read()`; the report that comes back names every bad line."""
    if file.size > settings.MAX_JSONL_BYTES:
        raise Refused(
            _("%(file)s: %(size)s is over the limit of %(limit)s for one import. Split the file.")
            % {
                "file": file.name,
                "size": filesizeformat(file.size),
                "limit": filesizeformat(settings.MAX_JSONL_BYTES),
            }
        )
    return dataset.take_in(file.name, file.read(), by=by, skip_bad=skip_bad)
