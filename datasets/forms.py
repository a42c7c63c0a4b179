import json

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.tokens import text_of
from datasets import formats
from datasets.models import Dataset


class DatasetForm(forms.ModelForm):
    class Meta:
        model = Dataset
        fields = ["title", "instructions"]
        widgets = {"instructions": forms.Textarea(attrs={"rows": 2})}


class ImportForm(forms.Form):
    file = forms.FileField(label=_("JSONL file"), allow_empty_file=True)
    skip_bad = forms.BooleanField(label=_("Take the good lines of a file with bad ones"), required=False)
    file.widget.attrs["accept"] = ".jsonl"


class FreezeForm(forms.Form):
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=0)
    validation = forms.FloatField(label=_("Validation share"), min_value=0, max_value=0.5, initial=0.1)
    test = forms.FloatField(label=_("Test share"), min_value=0, max_value=0.5, initial=0.1)
    personal_ok = forms.BooleanField(
        label=_("I have looked at it: this personal data may go into the training file"), required=False
    )

    def __init__(self, *args, asks=True, **named):
        super().__init__(*args, **named)
        if not asks:
            del self.fields["personal_ok"]


class ExampleForm(forms.Form):
    """A dialogue: one question and answer in two fields, anything longer as JSON messages."""

    question = forms.CharField(label=_("Question"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    answer = forms.CharField(label=_("Answer"), widget=forms.Textarea(attrs={"rows": 8}), required=False)
    messages = forms.CharField(
        label=_("Or the whole dialogue, as JSON messages"),
        widget=forms.Textarea(attrs={"rows": 6, "class": "code", "spellcheck": "false"}),
        required=False,
    )
    worse = forms.CharField(
        label=_("A worse answer"),
        help_text=_("May stay empty. Training by preferences (DPO) shows the model both."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )

    @classmethod
    def of(cls, example):
        simple = [message["role"] for message in example.messages] == ["user", "assistant"]
        worse = {"worse": text_of(example.rejected) if example.rejected else ""}
        if simple and all(isinstance(message["content"], str) for message in example.messages):
            return cls(initial={"question": example.question, "answer": example.answer, **worse})
        return cls(initial={"messages": json.dumps(example.messages, ensure_ascii=False, indent=1), **worse})

    def clean(self):
        values = super().clean()
        try:
            values["chat"] = self._chat(values)
            formats.check_messages(values["chat"])
            worse = values.get("worse", "")
            values["rejected"] = {"role": "assistant", "content": worse} if worse.strip() else None
            if values["rejected"]:
                formats.check_rejected(values["chat"], values["rejected"])
        except formats.BadRow as problem:
            raise ValidationError(str(problem)) from problem
        return values

    def _chat(self, values):
        if values.get("messages", "").strip():
            return formats.parse(values["messages"].encode("utf-8", "surrogatepass"))
        return [
            {"role": "user", "content": values.get("question", "")},
            {"role": "assistant", "content": values.get("answer", "")},
        ]
