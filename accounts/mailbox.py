"""Mails as files. They hold links that open accounts, so nobody else may read them."""

import os

from django.core.mail.backends import filebased


class Folder(filebased.EmailBackend):
    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        os.chmod(self.file_path, 0o700)
