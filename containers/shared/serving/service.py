"""What a workload says about the model it serves; all else is the same at every endpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from containers.shared.serving.content_types import ContentType


class Prediction(NamedTuple):
    """The content of an answer, and how much was predicted, by the name that the log has for it."""

    content: bytes
    amounts: Mapping[str, int]


class Servable(Protocol):
    """A loaded model."""

    def describe(self) -> Mapping[str, object]:
        """What the log says of it."""

    def predict(self, body: bytes, content_type: ContentType, media_type: str, /) -> Prediction:
        """The answer to a body, as a media type; raises RequestError for what is wrong with the body."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One kind of model behind an endpoint.

    Args:
        load: Loads the model in a folder, or raises ModelError.
        reads: The media types of bodies.
        writes: The media types of answers, the one first that is taken where it does not matter to the caller.
        batch_strategy: How batch transform puts records into a body.
        advice: What to do about a body that is too large.
        answers_in_kind: Whether an answer has the form of its body, whichever of `writes` the caller would like.
        inline_bytes: Bodies up to this size are answered at once; longer work would keep /ping waiting.
    """

    load: Callable[[Path], Servable]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    batch_strategy: str
    advice: str
    answers_in_kind: bool = False
    inline_bytes: int = 0
