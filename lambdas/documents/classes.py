"""The texts of documents that are classified, and what Comprehend has said about them."""

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.documents.contract import (
    CLASSES_FOLDER,
    TEXTS_FILE,
    TEXTS_FOLDER,
    Classified,
    Listed,
    Texts,
    name_folder,
)
from headrace.documents.findings import Finding, list_classes

from .store import Store

_ENDING = ".txt"


def name_text(folder: str) -> str:
    """Where the text is that is classified of a document, by the document's folder.

    Example:
        >>> name_text("documents/run-1/12/")
        'documents/run-1/texts/12.txt'
    """
    above, _, number = folder.rstrip("/").rpartition("/")
    return f"{above}/{TEXTS_FOLDER}{number}{_ENDING}"


def list_texts(store: Store, name: str) -> dict[str, Any]:
    """Write the list of the texts of an execution.

    Args:
        store: Where everything is.
        name: The execution's name.
    """
    folder = name_folder(name)
    prefix = f"{folder}{TEXTS_FOLDER}"
    numbers = sorted(int(key.removeprefix(prefix).removesuffix(_ENDING)) for key in store.list(prefix))
    place = f"{folder}{TEXTS_FILE}"
    store.write(place, [{Listed.NUMBER: number, Listed.KEY: f"{prefix}{number}{_ENDING}"} for number in numbers])
    return {Texts.COUNT: len(numbers), Texts.LIST: place}


def read_classes(store: Store, folder: str, number: int, fault: str, faults: list[str]) -> Iterator[Finding]:
    """The classes of one document.

    Args:
        store: Where everything is.
        folder: The execution's folder.
        number: The document's number.
        fault: Why nothing was classified, if it was not.
        faults: What is wrong is added here.
    """
    place = f"{folder}{CLASSES_FOLDER}{number}.json"
    try:
        kept: Mapping[str, Any] = store.read(place)
        if said := kept.get(Classified.FAULT):
            faults.append(f"not classified: {said}")
        faults += (f"not classified in part: {error}" for error in kept.get(Classified.ERRORS) or ())
        yield from list_classes(kept.get(Classified.CLASSES) or [], faults)
    except LookupError:
        faults.append(f"not classified: {fault or 'its execution has left no result'}")
    except (AttributeError, TypeError, ValueError) as error:
        faults.append(f"not classified: {place}: {error}")
