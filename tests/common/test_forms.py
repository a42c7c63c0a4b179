"""Several files in one field."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from common.forms import MultipleFileField


def test_several_files_come_as_a_list():
    files = [SimpleUploadedFile("a.md", b"a"), SimpleUploadedFile("b.md", b"b")]
    assert MultipleFileField().clean(files) == files


def test_one_file_is_a_list_of_one():
    file = SimpleUploadedFile("a.md", b"a")
    assert MultipleFileField().clean(file) == [file]


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_no_file_is_an_error(nothing):
    with pytest.raises(ValidationError):
        MultipleFileField().clean(nothing)


def test_an_empty_file_may_pass_so_that_the_reader_can_name_it():
    file = SimpleUploadedFile("empty.md", b"")
    assert MultipleFileField(allow_empty_file=True).clean([file]) == [file]
    with pytest.raises(ValidationError):
        MultipleFileField().clean([file])
