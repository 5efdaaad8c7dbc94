"""What reading a set of documents would cost, before it is delivered."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from headrace.documents.pages import UnreadableDocumentError, count_pages
from headrace.documents.prices import estimate_endpoint, estimate_page


@dataclass(kw_only=True)
class Estimate:
    """What is known of a set of documents.

    Attributes:
        documents: How many can be read.
        pages: How many pages these have.
        usd: What reading them costs at most, in US dollars.
        refused: Why each of the others cannot be, by its name.
    """

    documents: int = 0
    pages: int = 0
    usd: float = 0
    refused: dict[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """It for programs."""
        return {"documents": self.documents, "pages": self.pages, "usd": self.usd, "refused": self.refused}


def estimate_documents(
    documents: Iterable[tuple[str, bytes]],
    *,
    features: Collection[str],
    insights: Collection[str],
    finds_language: bool,
    inference_units: int = 0,
) -> Estimate:
    """Count the pages of documents, and what they cost.

    Args:
        documents: Their names and contents.
        features: What Textract looks for besides text.
        insights: What Comprehend looks for.
        finds_language: Whether Comprehend finds the language of each document.
        inference_units: Those of the endpoint that classifies the documents; 0 if they are not classified.
    """
    found = Estimate()
    for name, content in documents:
        try:
            found.pages += count_pages(content)
            found.documents += 1
        except UnreadableDocumentError as error:
            found.refused[name] = str(error)
    page = estimate_page(features, insights, finds_language=finds_language, classifies=inference_units > 0)
    # Where nothing can be read, no endpoint is made.
    found.usd = round(found.pages * page + (estimate_endpoint(inference_units) if found.documents else 0), 2)
    return found
