"""How fast a network learns, when it stops, and which of its states is kept."""

from .hyperparameters import Hyperparameters

# Of these, less is better.
_FALLING = ("perplexity",)


class Schedule:
    """Follows the metric that is optimized from checkpoint to checkpoint, as the built-in algorithm does.

    Args:
        hyperparameters: Those of the job.
    """

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self._asked = hyperparameters
        self._best: float | None = None
        self._reductions = 0
        self._since_reduction = 0
        self.checkpoint = 0
        self.without_gain = 0

    def take(self, metric: float) -> bool:
        """Take down the metric of a checkpoint, and say whether it is the best so far."""
        self.checkpoint += 1
        falls = self._asked.optimized_metric in _FALLING
        is_best = self._best is None or (metric < self._best if falls else metric > self._best)
        self.without_gain = 0 if is_best else self.without_gain + 1
        self._since_reduction = 0 if is_best else self._since_reduction + 1
        if self._since_reduction >= self._asked.plateau_reduce_lr_threshold:
            self._reductions, self._since_reduction = self._reductions + 1, 0
        if is_best:
            self._best = metric
        return is_best

    @property
    def has_stopped_gaining(self) -> bool:
        """Whether it is time to stop; with a number of epochs, learning goes on to the last one."""
        return self._asked.max_num_epochs is None and self.without_gain >= self._asked.checkpoint_threshold

    def find_rate(self, batches: int) -> float:
        """The learning rate after so many batches.

        The inverse schedules halve it after `fixed_rate_lr_half_life` checkpoints.
        """
        rate, passed = self._asked.learning_rate, batches / self._asked.checkpoint_frequency_num_batches
        lives: float = passed / self._asked.fixed_rate_lr_half_life
        match self._asked.lr_scheduler_type:
            case "fixed_rate_inv_t":
                return rate / (1 + lives)
            case "fixed_rate_inv_sqrt_t":
                return float(rate / (1 + 3 * lives) ** 0.5)
        return float(rate * self._asked.plateau_reduce_lr_factor**self._reductions)
