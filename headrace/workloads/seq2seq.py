"""Translation of sequences."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace.recipes import Recipe, seq2seq
from headrace.recordio.sentences import (
    SOURCE_FILE,
    TARGET_FILE,
    Vocabulary,
    name_tokens,
    parse_vocabulary,
    read_pairs,
)
from headrace.workloads import phrases
from headrace.workloads.delivery import Place, Prefix, bring_file
from headrace.workloads.workload import IN_BATCH, Answers, Prediction, Scores, Site, spread

_JSON: Final = "application/json"
_BATCH_FILE: Final = "batch.jsonl"


class Run:
    """A file of sentences with their translations, made up where none is given."""

    recipe: ClassVar[Recipe] = seq2seq.RECIPE
    scores: ClassVar[Scores] = Scores(
        columns={"BLEU": ".3f", "perplexity": ".2f"},
        rows={
            "translation": (seq2seq.VALIDATION_BLEU, seq2seq.VALIDATION_PERPLEXITY),
            "word for word": (seq2seq.BASELINE_BLEU,),
        },
    )

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
        self._file = given or scratch / "made_up_pairs.tsv"

    def bring_data(self, site: Site) -> None:
        """Put the file into the raw bucket, or use what somebody else has put there instead of made-up pairs."""
        if not self._given:
            phrases.write_pairs(self._file)
        place = Prefix(site.raw_bucket, self.recipe.raw_prefix)
        self._file, foreign = bring_file(
            site.delivery, place, self._file, is_given=self._given, ending=".tsv", scratch=self._scratch
        )
        if foreign:
            self.data = place.address

    def ask_endpoint(self, site: Site, endpoint_name: str) -> Answers:
        """Ask for the translations of held-out sentences."""
        names = [_read_names(site, name) for name in (SOURCE_FILE, TARGET_FILE)]
        place = site.open_channel(seq2seq.VALIDATION_CHANNEL)
        pairs = spread(list(read_pairs(io.BytesIO(place.read(min(place.list_files()))))))
        sources, targets = ([name_tokens(pair[side], names[side]) for pair in pairs] for side in (0, 1))
        body = json.dumps({"instances": [{"data": source} for source in sources]}).encode()
        answer = json.loads(site.invoke(endpoint_name, body, content_type=_JSON, accept=_JSON))
        return Answers(
            [
                Prediction(asked=source, predicted=said["target"], actual=target)
                for source, said, target in zip(sources, answer["predictions"], targets, strict=True)
            ]
        )

    def bring_batch(self, site: Site, place: Place) -> None:
        """Put some sentences there, one a line."""
        if site.delivery.find_foreign([place]):
            return
        sources = [line.partition("\t")[0] for line in self._file.read_text(encoding="utf-8-sig").split("\n")]
        # A line without tokens is left out of what is learnt from, too, and refused by the endpoint.
        texts = spread([source for source in sources if source.strip()], IN_BATCH)
        file = self._scratch / _BATCH_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{json.dumps({'source': text})}\n" for text in texts), encoding="utf-8")
        site.delivery.bring(place, {file.name: file})

    def read_batch(self, given: Place, answers: Place) -> list[Prediction]:
        """What was answered to a few lines, spread over the first object of the batch."""
        name = min(given.list_files())
        pairs = zip(
            given.read(name).decode().splitlines(), answers.read(f"{name}.out").decode().splitlines(), strict=False
        )
        return [_describe(json.loads(asked)["source"], json.loads(answer)) for asked, answer in spread(list(pairs))]


def _read_names(site: Site, file: str) -> dict[int, str]:
    vocabulary: Vocabulary = parse_vocabulary(site.open_channel(seq2seq.VOCABULARY_CHANNEL).read(file))
    return {number: token for token, number in vocabulary.items()}


def _describe(text: str, answer: Mapping[str, Any]) -> Prediction:
    return Prediction(asked=text, predicted=answer.get("SageMakerOutput", answer)["target"], actual=None)
