"""Early stopping: a training ends once further epochs have not lowered its validation loss."""


class EarlyStopping:
    """The full validation losses of the epochs so far; none are kept without a patience."""

    def __init__(self, patience, n_epochs):
        self.patience, self.n_epochs = patience, n_epochs
        self.losses = []

    def add(self, loss):
        """True when this epoch is the best so far."""
        self.losses.append(loss)
        return self.best == len(self.losses)

    @property
    def best(self):
        """The epoch of the lowest loss, counted from 1; the first of several."""
        return self.losses.index(min(self.losses)) + 1

    @property
    def over(self):
        return bool(self.losses) and len(self.losses) - self.best >= self.patience

    @property
    def epochs(self):
        """How many were trained, once the training has ended."""
        return len(self.losses) or self.n_epochs

    def remark(self):
        """What is to be told of it at the end."""
        if not self.losses:
            return None
        early = f"Stopped early after epoch {self.epochs} of {self.n_epochs}"
        begin = early if self.epochs < self.n_epochs else f"Trained all {self.n_epochs} epochs"
        lowest = f"the full validation loss was lowest after epoch {self.best}, with {min(self.losses):.4f}"
        return f"{begin}: {lowest}, and that is the final model"
