"""OpenAI's files, fine-tuning, models and chat protocol, trained and served on this machine."""
