"""What an execution is about to read, and what that costs, before anything that costs has begun."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from headrace.documents.contract import (
    CLASSIFIED_BYTES,
    CLASSIFIER_NOTE,
    EXECUTION_FILE,
    LIST_FILE,
    Listed,
    Noted,
    Surveyed,
    name_folder,
)
from headrace.documents.pages import UnreadableDocumentError, count_pages
from headrace.documents.prices import CHARACTERS_A_PAGE
from headrace.errors import HeadraceError

from .contract import Variable
from .store import Store

REFUSED_FILE = "refused.json"


class TooMuchError(HeadraceError):
    """More than the settings let an execution read, or nothing at all."""


class NoClassifierError(HeadraceError):
    """Documents are to be classified, and no classifier has been trained."""


class UsedNameError(HeadraceError):
    """The name of an execution whose results are still there."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an execution may read.

    Args:
        documents: The most documents.
        pages: The most pages.
        page_usd: What a page costs, in US dollars.
        execution_usd: What the execution costs besides.
        characters: How many characters can be classified in time; 0 where documents are not.
    """

    documents: int
    pages: int
    page_usd: float
    execution_usd: float = 0
    characters: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """What the function finds in its environment."""
        return cls(
            documents=int(environment[Variable.MOST_DOCUMENTS]),
            pages=int(environment[Variable.MOST_PAGES]),
            page_usd=float(environment[Variable.PAGE_USD]),
            execution_usd=float(environment.get(Variable.EXECUTION_USD, 0)),
            characters=int(environment.get(Variable.CLASSIFIES, 0)),
        )


def survey(store: Store, limits: Limits, prefix: str, name: str, started: str) -> dict[str, Any]:
    """Count the pages of the documents below a prefix, and list those that can be read and those that cannot.

    Args:
        store: Where everything is.
        limits: What the execution may read.
        prefix: Where its documents are.
        name: Its name,
        started: and when it was started, which stays the same when it is redriven.

    Raises:
        TooMuchError: If there are more than an execution may read or can classify in time, or none.
        UsedNameError: If an earlier execution of the same name has left something.
        NoClassifierError: If there is none, and documents are to be classified.
    """
    folder, ours = name_folder(name), {"Started": started}
    _check_folder(store, folder, ours)
    classifier = _find_classifier(store) if limits.characters else ""
    keys = list(islice(store.list_documents(prefix), limits.documents + 1))
    if not keys:
        raise TooMuchError(f"there is no document below {prefix} of the raw bucket")
    if len(keys) > limits.documents:
        raise TooMuchError(
            f"there are more than {limits.documents:,} documents below {prefix}, and documents.most_documents allows "
            "no more; name a narrower Prefix, or raise the setting"
        )
    examined = [_examine(store, number, key) for number, key in enumerate(keys)]
    listed = [each for each in examined if Listed.REASON not in each]
    refused = [each for each in examined if Listed.REASON in each]
    pages = sum(each[Listed.PAGES] for each in listed)
    estimate = round(pages * limits.page_usd + limits.execution_usd, 2)
    if pages > limits.pages:
        raise TooMuchError(
            f"the documents below {prefix} have {pages:,} pages, which cost about {estimate:,.2f} USD, and "
            f"documents.most_pages allows {limits.pages:,}; name a narrower Prefix, or raise the setting"
        )
    if limits.characters:
        _check_characters(listed, limits.characters, prefix)
    store.write(f"{folder}{EXECUTION_FILE}", ours)
    store.write(f"{folder}{REFUSED_FILE}", refused)
    store.write(f"{folder}{LIST_FILE}", listed)
    return {
        Surveyed.DOCUMENTS: len(listed),
        Surveyed.REFUSED: len(refused),
        Surveyed.PAGES: pages,
        Surveyed.ESTIMATE: estimate,
        Surveyed.LIST: f"{folder}{LIST_FILE}",
        Surveyed.CLASSIFIER: classifier,
    }


def _check_characters(listed: Iterable[Mapping[str, Any]], most: int, prefix: str) -> None:
    """Refuse what is not classified before the execution is stopped, which would lose what was read, too."""
    characters = sum(min(each[Listed.PAGES] * CHARACTERS_A_PAGE, CLASSIFIED_BYTES) for each in listed)
    if characters > most:
        raise TooMuchError(
            f"about {characters:,} characters of the documents below {prefix} are to be classified, and the endpoint "
            f"does {most:,} within documents.timeout_hours; raise documents.classifier.inference_units or that, or "
            "name a narrower Prefix"
        )


def _find_classifier(store: Store) -> str:
    if CLASSIFIER_NOTE not in store.list(CLASSIFIER_NOTE):
        raise NoClassifierError(
            "there is no classifier yet; train one with the state machine of the output ClassifierStateMachineArn, or "
            "set documents.classifier to null"
        )
    return str(store.read(CLASSIFIER_NOTE)[Noted.ARN])


def _check_folder(store: Store, folder: str, ours: Mapping[str, str]) -> None:
    """Refuse to mix what is found with what another execution has found: names can be used again after 90 days."""
    place, there = f"{folder}{EXECUTION_FILE}", next(store.list(folder), "")
    if there and (place not in store.list(place) or store.read(place) != ours):
        raise UsedNameError(
            f"an earlier execution of this name has left {there} in the work bucket; start another one under a new "
            f"name, or move everything below {folder} away"
        )


def _examine(store: Store, number: int, key: str) -> dict[str, Any]:
    """A document's entry in the list of those that can be read, or of those that cannot."""
    document = store.read_document(key)
    facts: dict[str, Any] = {Listed.NUMBER: number, Listed.KEY: key, Listed.VERSION: document.version}
    try:
        if document.refusal:
            raise document.refusal
        return {**facts, Listed.PAGES: count_pages(document.content)}
    except UnreadableDocumentError as error:
        return {**facts, Listed.ERROR: type(error).__name__, Listed.REASON: str(error)}
