"""Teaching the network, checkpoint by checkpoint, and saying so in the words of the built-in algorithm's log."""

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from containers.shared.networks.divergence import advise_clipping, refuse_divergence
from containers.shared.networks.learner import choose_device
from headrace.recordio.sentences import BEGIN, END, Pair

from .architecture import Architecture, Attention, Start
from .bleu import find_bleu
from .decoding import Numbers, Steps, pad, translate
from .hyperparameters import Hyperparameters
from .network import Network
from .schedule import Schedule

# Of how many batches' worth of pairs those of like length are put together.
_POOL: Final = 20
_IGNORED: Final = -100
# No vocabulary is large enough for a guess to lose that much.
_MOST_LOSS: Final = 100.0


class Judgement(NamedTuple):
    """How well tokens are foretold when all before them are right."""

    perplexity: float
    accuracy: float


class _Sums(NamedTuple):
    """What a judgement is made from: the tokens' losses in nats, how many were right, and how many there are."""

    loss: float
    right: int
    tokens: int


def make_network(hyperparameters: Hyperparameters, source_tokens: int, target_tokens: int) -> Network:
    """A network that knows nothing yet, the same for the same seed."""
    torch.manual_seed(hyperparameters.seed)
    asked = hyperparameters
    shape = Architecture(
        source_tokens=source_tokens,
        target_tokens=target_tokens,
        source_width=asked.num_embed_source,
        target_width=asked.num_embed_target,
        hidden=asked.rnn_num_hidden,
        encoder_layers=asked.num_layers_encoder,
        decoder_layers=asked.num_layers_decoder,
        attention=Attention(asked.rnn_attention_type),
        attention_width=asked.rnn_attention_num_hidden,
        start=Start(asked.rnn_decoder_state_init),
    )
    dropout = (asked.embed_dropout_source, asked.embed_dropout_target, asked.rnn_decoder_hidden_dropout)
    return Network(shape, dropout, choose_device())


def fit(network: Network, hyperparameters: Hyperparameters, training: list[Pair], validation: list[Pair]) -> Schedule:
    """Teach a network, and leave it as it was at its best checkpoint."""
    schedule = Schedule(hyperparameters)
    optimizer = _make_optimizer(network, hyperparameters)
    best = _copy(network)
    losses: list[_Sums] = []
    batches = 0
    for batches, batch in enumerate(_draw_batches(training, hyperparameters), start=1):
        _set_rate(optimizer, schedule.find_rate(batches - 1))
        losses.append(_learn(network, optimizer, batch, hyperparameters.clip_gradient))
        if batches % hyperparameters.checkpoint_frequency_num_batches == 0:
            best = _pass_checkpoint(network, schedule, hyperparameters, losses, validation) or best
            losses = []
            if schedule.has_stopped_gaining:
                break
        if batches == hyperparameters.max_num_batches:
            break
    if losses:
        best = _pass_checkpoint(network, schedule, hyperparameters, losses, validation) or best
    network.modules.load_state_dict(best)
    network.modules.eval()
    return schedule


def judge(network: Network, pairs: Sequence[Pair], batch_size: int) -> Judgement:
    """How well a network foretells the tokens of some pairs."""
    network.modules.eval()
    with torch.no_grad():
        found = [
            _measure(*_compute(network, pairs[start : start + batch_size]))
            for start in range(0, len(pairs), batch_size)
        ]
    return _sum_up(found)


def judge_translations(steps: Steps, pairs: Sequence[Pair], hyperparameters: Hyperparameters, count: int) -> float:
    """The BLEU of the translations of some pairs.

    Args:
        steps: What translates.
        pairs: Sources and references.
        hyperparameters: Those of the job.
        count: Of how many pairs, drawn by chance; of all if there are fewer, or if it is negative.
    """
    places = np.random.default_rng(hyperparameters.seed).permutation(len(pairs))
    chosen = [pairs[place] for place in (places if count < 0 else places[:count])]
    sources = [pair.source for pair in chosen]
    translations = translate(steps, sources, hyperparameters.beam_size, hyperparameters.max_seq_len_target)
    return find_bleu([translation.tokens for translation in translations], [pair.target for pair in chosen])


def say(checkpoint: int, metrics: dict[str, float], kind: str = "Validation") -> None:
    """Write metrics to the log as Sockeye does, which the built-in algorithm is made of."""
    for name, value in metrics.items():
        sys.stdout.write(f"Checkpoint [{checkpoint}]\t{kind}-{name}={value:f}\n")
    sys.stdout.flush()


def _pass_checkpoint(
    network: Network,
    schedule: Schedule,
    hyperparameters: Hyperparameters,
    losses: list[_Sums],
    validation: list[Pair],
) -> dict[str, Any] | None:
    """Say how far the network is, and return its weights if it is better than ever."""
    checkpoint = schedule.checkpoint + 1
    learnt, judged = _sum_up(losses), judge(network, validation, hyperparameters.batch_size)
    refuse_divergence(
        (learnt.perplexity, judged.perplexity),
        f"by checkpoint {checkpoint}",
        hyperparameters.learning_rate,
        advise_clipping(hyperparameters.clip_gradient),
    )
    say(checkpoint, {hyperparameters.training_metric: getattr(learnt, hyperparameters.training_metric)}, "Train")
    metrics = judged._asdict()
    count = hyperparameters.bleu_sample_size
    if count or hyperparameters.optimized_metric == "bleu":
        metrics["bleu"] = judge_translations(network, validation, hyperparameters, count or -1)
    say(checkpoint, metrics)
    return _copy(network) if schedule.take(metrics[hyperparameters.optimized_metric]) else None


def _draw_batches(pairs: list[Pair], hyperparameters: Hyperparameters) -> Iterator[list[Pair]]:
    """All pairs in another order each epoch, those of like length side by side."""
    size, epoch = hyperparameters.batch_size, 0
    while hyperparameters.max_num_epochs is None or epoch < hyperparameters.max_num_epochs:
        chance = np.random.default_rng((hyperparameters.seed, epoch))
        order = chance.permutation(len(pairs)).tolist()
        batches: list[list[int]] = []
        for start in range(0, len(order), size * _POOL):
            pool = order[start : start + size * _POOL]
            if hyperparameters.bucketing_enabled:
                pool.sort(key=lambda place: (len(pairs[place].target), len(pairs[place].source)))
            batches += [pool[begin : begin + size] for begin in range(0, len(pool), size)]
        for place in chance.permutation(len(batches)).tolist():
            yield [pairs[each] for each in batches[place]]
        epoch += 1


def _learn(network: Network, optimizer: Any, pairs: Sequence[Pair], most: float) -> _Sums:
    network.modules.train()
    scores, wanted = _compute(network, pairs)
    loss = functional.cross_entropy(scores, wanted, ignore_index=_IGNORED)
    optimizer.zero_grad()
    loss.backward()
    if most > 0:
        torch.nn.utils.clip_grad_value_(network.modules.parameters(), most)
    optimizer.step()
    return _measure(scores.detach(), wanted)


def _compute(network: Network, pairs: Sequence[Pair]) -> tuple[Any, Any]:
    """The scores of all tokens of some targets, and the tokens."""
    source, lengths = pad([pair.source for pair in pairs])
    given, _ = pad([[BEGIN, *pair.target] for pair in pairs])
    wanted = _mark_padding(*pad([[*pair.target, END] for pair in pairs]))
    scores = network.score(source, lengths, given)
    return scores.flatten(0, 1), torch.from_numpy(wanted).flatten().to(network.device)


def _mark_padding(tokens: Numbers, lengths: Numbers) -> Numbers:
    return np.where(np.arange(tokens.shape[1]) < lengths[:, None], tokens, _IGNORED)


def _measure(scores: Any, wanted: Any) -> _Sums:
    loss = functional.cross_entropy(scores, wanted, ignore_index=_IGNORED, reduction="sum")
    return _Sums(float(loss), int((scores.argmax(1) == wanted).sum()), int((wanted != _IGNORED).sum()))


def _sum_up(parts: Sequence[_Sums]) -> Judgement:
    loss, right, tokens = (sum(values) for values in zip(*parts, strict=True))
    mean = loss / tokens
    return Judgement(math.exp(mean) if mean < _MOST_LOSS else math.inf, right / tokens)


def _make_optimizer(network: Network, hyperparameters: Hyperparameters) -> Any:
    weights, rate, decay = network.modules.parameters(), hyperparameters.learning_rate, hyperparameters.weight_decay
    match hyperparameters.optimizer_type:
        case "sgd":
            return torch.optim.SGD(weights, rate, momentum=hyperparameters.momentum, weight_decay=decay)
        case "rmsprop":
            return torch.optim.RMSprop(weights, rate, weight_decay=decay)
    return torch.optim.Adam(weights, rate, weight_decay=decay)


def _set_rate(optimizer: Any, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _copy(network: Network) -> dict[str, Any]:
    return {name: tensor.clone() for name, tensor in network.modules.state_dict().items()}
