"""Turn a GGUF file into a folder in the Hugging Face layout."""

import struct

STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

# Pre-tokenizers that cut numbers into single digits before the byte-level rule of GPT-2 applies.
SINGLE_DIGITS = {"smollm", "starcoder", "refact", "command-r", "codeshell"}
CONTROL_TOKEN = 3


def read_header(path):
    """The file's metadata as a dict: general.*, the architecture's sizes, the tokenizer."""
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"{path} is not a GGUF file")
        _version, _tensors, count = _unpack(file, "IQQ")
        return {_string(file): _value(file, *_unpack(file, "I")) for _ in range(count)}


def _unpack(file, layout):
    layout = "<" + layout
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _string(file):
    (length,) = _unpack(file, "Q")
    return file.read(length).decode()


def _value(file, kind):
    if kind == STRING:
        return _string(file)
    if kind == ARRAY:
        item, length = _unpack(file, "IQ")
        if item in SCALARS:
            return list(_unpack(file, f"{length}{SCALARS[item]}"))
        return [_value(file, item) for _ in range(length)]
    return _unpack(file, SCALARS[kind])[0]


def convert(path, folder):
    """Write the file's weights, dequantised, and its tokenizer to `folder`."""
    from transformers import AutoModelForCausalLM

    tokenizer(path).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name)
    # The loader leaves traces of a quantiser that would refuse to save the now plain weights.
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config
    model.save_pretrained(folder)


def tokenizer(path):
    header = read_header(path)
    if header.get("tokenizer.ggml.pre") in SINGLE_DIGITS:
        return single_digits_tokenizer(header)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def single_digits_tokenizer(header):
    """Built by hand, because the library's own GGUF reader forgets the digits rule."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    field = lambda name, default=None: header.get(f"tokenizer.ggml.{name}", default)  # noqa: E731
    tokens = field("tokens")
    merges = [tuple(merge.split(" ")) for merge in field("merges", [])]
    bpe = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    kinds = zip(tokens, field("token_type"), strict=True)
    bpe.add_special_tokens([AddedToken(t, special=True) for t, kind in kinds if kind == CONTROL_TOKEN])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=tokens[field("bos_token_id")],
        eos_token=tokens[field("eos_token_id")],
        unk_token=tokens[field("unknown_token_id")],
        pad_token=tokens[field("padding_token_id")],
        chat_template=header["tokenizer.chat_template"],
    )
