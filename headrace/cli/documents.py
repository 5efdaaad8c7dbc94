"""`headrace documents`: what it costs to have documents read."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from headrace.cli import progress
from headrace.cli.json_option import JSON_OPTION
from headrace.cli.paths import INPUT_PLACE
from headrace.documents.contract import Feature, Insight
from headrace.documents.estimates import Estimate, estimate_documents
from headrace.errors import HeadraceError, as_shown
from headrace.inputs import open_regular, read_document
from headrace.wording import counted

_USUAL = [str(insight) for insight in (Insight.ENTITIES, Insight.KEY_PHRASES, Insight.SENTIMENT)]


class NoDocumentsError(HeadraceError):
    """A folder without a file, or nothing that can be read."""


@click.group()
def documents() -> None:
    """What it costs to have documents read with Textract and Comprehend."""


@documents.command()
@click.argument("places", metavar="PLACE...", nargs=-1, required=True, type=INPUT_PLACE)
@click.option(
    "--feature",
    "features",
    type=click.Choice([str(feature) for feature in Feature]),
    multiple=True,
    help="What Textract looks for besides text; once or more.",
)
@click.option(
    "--insight",
    "insights",
    type=click.Choice([str(insight) for insight in Insight]),
    multiple=True,
    default=_USUAL,
    show_default=True,
    help="What Comprehend looks for; once or more.",
)
@click.option("--text-only", is_flag=True, help="Ask Comprehend nothing.")
@click.option("--one-language", is_flag=True, help="The settings name the language, which is then not looked for.")
@click.option(
    "--inference-units",
    type=click.IntRange(0, 10),
    default=0,
    show_default=True,
    help="Those of the endpoint that classifies the documents; 0 if they are not classified.",
)
@JSON_OPTION
def estimate(
    *,
    places: Sequence[Path],
    features: Sequence[str],
    insights: Sequence[str],
    text_only: bool,
    one_language: bool,
    inference_units: int,
    as_json: bool,
) -> None:
    """Count the pages of documents, and estimate what reading them costs; nothing is sent anywhere.

    PLACE is a PDF, TIFF, JPEG or PNG file, or a folder of them.

    Example: headrace documents estimate invoices/ --feature tables --feature forms
    """
    with progress.step("count pages"):
        found = estimate_documents(
            _read_all(places),
            features=features,
            insights=() if text_only else insights,
            finds_language=not one_language,
            inference_units=inference_units,
        )
    click.echo(json.dumps(found.describe(), ensure_ascii=False, indent=2) if as_json else _render(found))
    if not found.documents:
        raise NoDocumentsError("nothing there can be read; Textract takes PDF, TIFF, JPEG and PNG files")


def _read_all(places: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for place in places:
        if not place.is_dir():
            yield str(place), read_document(place)
            continue
        files = sorted(path for path in place.rglob("*") if path.is_file())
        if not files:
            raise NoDocumentsError(f"{place}: there is no file below it; name a folder of documents")
        for file in files:
            with open_regular(file) as opened:
                yield str(file), opened.read()


def _render(found: Estimate) -> str:
    lines = [f"{as_shown(name)}: {reason}" for name, reason in found.refused.items()]
    if lines:
        lines.append(f"{counted(len(lines), 'document')} cannot be read")
    pages = f"{counted(found.documents, 'document')} of {counted(found.pages, 'page')}"
    return "\n".join([*lines, f"{pages}: at most about {found.usd:,.2f} USD"])
