"""OpenAI's files, fine-tuning, models and chat protocol, trained and served on this machine."""

import gc

# Importing PyTorch and transformers makes a million objects that stay: looking for garbage among them as often as
# usual takes a tenth of every start.
gc.set_threshold(100_000, 20, 100)
