"""What `auto` means, and the learning rate behind the multiplier."""

# The learning rate that a multiplier of 1 stands for, found good for LoRA of rank 16 on all linear layers.
# Preferences need far less: the loss asks for a difference between two replies, not for either of them.
LEARNING_RATES = {"supervised": 2e-3, "dpo": 2e-4}
BATCH_SIZE = 4
RANK, ALPHA = 16, 32
EPOCHS = {100: 5, 500: 3, 1500: 2}


def resolve(wanted, examples):
    """The hyperparameters as numbers, for a training file of so many examples."""
    auto = {
        "n_epochs": next((epochs for limit, epochs in EPOCHS.items() if examples < limit), 1),
        "batch_size": BATCH_SIZE,
        "learning_rate_multiplier": 1.0,
        "beta": 0.1,
    }
    return {name: auto[name] if value == "auto" else value for name, value in wanted.items()}
