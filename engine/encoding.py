"""Chats to tokens, with a mark on the tokens that training may learn from."""

from functools import cached_property
from typing import NamedTuple

from engine.tool_calls import for_template

PROBE = {"type": "function", "function": {"name": "probe", "description": "", "parameters": {}}}
# For base models that were never taught to chat: they learn this form in training.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}:\n{{ message['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:\n{% endif %}"
)


def _byte_symbols():
    """The letters that byte-level tokenizers write bytes with: printable ones stand for themselves."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}


BYTE_OF = _byte_symbols()


class Encoded(NamedTuple):
    ids: list[int]
    trained: list[bool]

    @property
    def width(self):
        return len(self.ids)

    @property
    def targets(self):
        """How many tokens are to be learned: the first of all has none before it."""
        return sum(self.trained[1:])


class Pair(NamedTuple):
    """A preferred and a non-preferred reply to the same chat."""

    preferred: Encoded
    other: Encoded

    @property
    def width(self):
        return 2 * max(self.preferred.width, self.other.width)


class ChatEncoder:
    """Wraps a model's tokenizer and chat template; a chat the template cannot show raises ValueError."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        tokenizer.chat_template = tokenizer.chat_template or PLAIN_TEMPLATE
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        user = [{"role": "user", "content": "x"}]
        self.reply_header = self._render(user, reply=True)[len(self._render(user)) :]

    @classmethod
    def load(cls, folder):
        from transformers import AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(folder, trust_remote_code=False))

    @cached_property
    def knows_tools(self):
        """Whether the template tells the model of tools."""
        user = [{"role": "user", "content": "x"}]
        return self._render(user, [PROBE]) != self._render(user)

    @cached_property
    def vocabulary(self):
        """The tokens as grammars need them; built in a second."""
        from llguidance.hf import from_tokenizer

        return from_tokenizer(self.tokenizer)

    def prompt(self, messages, tools=None):
        """Token ids of a chat that the assistant is to answer."""
        return self.ids(self._render([self._plain(message) for message in messages], tools, reply=True))

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True)

    def chances(self, token, chances, top):
        """A token's log-probability and the likeliest ones in its place, as OpenAI shows them."""
        others = chances.topk(top) if top else None
        places = zip(others.indices.tolist(), others.values.tolist(), strict=True) if top else ()
        likeliest = [self._chance(*place) for place in places]
        return {**self._chance(token, chances[token].item()), "top_logprobs": likeliest}

    def _chance(self, token, logprob):
        text = self.tokenizer.decode([token])
        return {"token": text, "logprob": logprob, "bytes": self._bytes(token, text)}

    def _bytes(self, token, text):
        """Half a character has bytes that its text no longer shows; None where they cannot be told."""
        if "\ufffd" not in text:
            return [*text.encode()]
        symbols = self.tokenizer.convert_ids_to_tokens(token)
        try:
            return [BYTE_OF[symbol] for symbol in symbols]
        except KeyError:
            return None

    def example(self, example):
        """The whole chat, encoded piece by piece, so that a reply starts as it would after its prompt."""
        messages = [self._plain(message) for message in example["messages"]]
        tools = example.get("tools") or None
        if tools and not self.knows_tools:
            raise ValueError("the model's chat template knows no tools")
        ids, trained, before = [], [], ""
        for number, message in enumerate(messages, start=1):
            if message["role"] == "tool" and messages[number:] and messages[number]["role"] == "tool":
                # Templates that show the results of several calls as one turn end it after the last.
                continue
            text = self._render(messages[:number], tools)
            if not text.startswith(before):
                raise ValueError("the model's chat template rewrites earlier turns; use one reply an example")
            for piece, learn in self._pieces(text[len(before) :], message):
                piece_ids = self.ids(piece)
                ids += piece_ids
                trained += self._trained(piece_ids, learn)
            before = text
        if not any(trained):
            raise ValueError("the model's chat template leaves nothing to learn")
        return Encoded(ids, trained)

    def pair(self, example):
        """Both outputs of a preference, each behind the whole chat; nothing else is learned."""
        asked = example["input"]
        chat = [_unlearned(message) for message in asked["messages"]]
        outputs = example["preferred_output"], example["non_preferred_output"]
        return Pair(*(self.example({**asked, "messages": chat + output}) for output in outputs))

    def encode(self, example, method):
        return self.pair(example) if method == "dpo" else self.example(example)

    def _pieces(self, text, message):
        if message["role"] != "assistant":
            return [(text, False)]
        header, mark, reply = text.partition(self.reply_header)
        return [(header + mark, False), (reply, message.get("weight", 1) == 1)]

    def _trained(self, ids, learn):
        """What follows the end-of-turn token belongs to the template: the model never has to write it."""
        end = self.tokenizer.eos_token_id
        length = len(ids) - ids[::-1].index(end) if end in ids else len(ids)
        return [learn and position < length for position in range(len(ids))]

    def _plain(self, message):
        """The message as templates know it: text content, no role that only OpenAI has."""
        calls = message.get("tool_calls") or []
        if calls and "tool_calls" not in self.tokenizer.get_chat_template(tools=[PROBE]):
            raise ValueError("the model's chat template knows no tool calls")
        role = "system" if message["role"] == "developer" else message["role"]
        shown = {**message, "role": role, "content": text_of(message.get("content"))}
        return shown | {"tool_calls": [for_template(call) for call in calls]} if calls else shown

    def _render(self, messages, tools=None, reply=False):
        from jinja2 import TemplateError

        try:
            return self.tokenizer.apply_chat_template(
                messages, tools=tools, tokenize=False, add_generation_prompt=reply
            )
        except (TemplateError, TypeError, RecursionError) as error:
            raise ValueError(f"the model's chat template refuses it: {error}") from error

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]


def _unlearned(message):
    return {**message, "weight": 0} if message["role"] == "assistant" else message


def text_of(content):
    """A message's content as one string: it may be null, a string or a list of text parts."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content)
    return content or ""
