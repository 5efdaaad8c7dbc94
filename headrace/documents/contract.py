"""Names that the state machine of documents, its functions and the commands share; standard library only."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

# What the state machine's log and tags are named after, and the output that has its ARN.
MACHINE: Final = "documents"
MACHINE_OUTPUT: Final = "DocumentsStateMachineArn"
# The same of the state machine that trains the classifier.
CLASSIFIER_MACHINE: Final = "classifier"
CLASSIFIER_MACHINE_OUTPUT: Final = "ClassifierStateMachineArn"
# Where training data of the classifier are in the raw bucket; below `documents/`, they would be read as documents.
TRAINING_PREFIX: Final = "classifiers/"
# Where documents wait in the raw bucket, and where everything about them is in the work bucket.
RAW_PREFIX: Final = "documents/"
WORK_PREFIX: Final = "documents/"
LIST_FILE: Final = "list.json"
# Which execution a folder is that of: names of executions can be used again after 90 days.
EXECUTION_FILE: Final = "execution.json"
ANSWER_FILE: Final = "answer.json"
MAP_FOLDER: Final = "map/"
TOKENS_FOLDER: Final = "tokens/"
PIECES_FOLDER: Final = "pieces/"
TEXTRACT_FOLDER: Final = "textract/"
TEXTS_FOLDER: Final = "texts/"
TEXTS_FILE: Final = "texts.json"
CLASSES_FOLDER: Final = "classes/"
TRAINING_FOLDER: Final = "training/"
RESULTS_FOLDER: Final = "results/"
# Which classifier is used: the last one that was trained and good enough.
CLASSIFIER_NOTE: Final = f"{WORK_PREFIX}classifier.json"
REPORT_FILE: Final = "report.json"
LINES_FILE: Final = "documents.jsonl"
DOCUMENTS_FILE: Final = "documents.parquet"
FINDINGS_FILE: Final = "findings.parquet"

# Textract reads 3,000 pages; what it finds on so many does not fit the 2 GiB of the function that unpacks it, and on a
# thousand pages of dense text it takes 1.3.
MOST_PAGES: Final = 1000
# https://docs.aws.amazon.com/textract/latest/dg/limits-document.html: the bytes of a PDF or TIFF file that is read
# asynchronously, and of any other file.
MOST_BYTES: Final = 500 * 2**20
MOST_IMAGE_BYTES: Final = 10 * 2**20
# Sentiment and syntax take 5 KB: https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html. Half of
# it, because Step Functions carries 256 KiB, and each character may be a token that takes a hundred in the answer.
PIECE_BYTES: Final = 2500
# With syntax, whose answer has up to 150 bytes for each token, and a token may be one byte: what a state is told about
# a piece must fit those 256 KiB.
SYNTAX_PIECE_BYTES: Final = 1000
# ClassifyDocument takes 10 KB of plain text: what is classified of a document is the beginning of its text.
CLASSIFIED_BYTES: Final = 10_000
# DetectDominantLanguage wants as many characters; shorter texts would be guesses.
FEWEST_CHARACTERS: Final = 20


class Feature(StrEnum):
    """What Textract looks for besides text."""

    TABLES = "tables"
    FORMS = "forms"
    QUERIES = "queries"


class Insight(StrEnum):
    """What Comprehend looks for."""

    ENTITIES = "entities"
    KEY_PHRASES = "key_phrases"
    SENTIMENT = "sentiment"
    SYNTAX = "syntax"


# The languages that Comprehend knows, and those whose syntax it knows, from its API.
LANGUAGES: Final = ("en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW")
SYNTAX_LANGUAGES: Final = LANGUAGES[:6]
# Those that classifiers of plain text can be trained in:
# https://docs.aws.amazon.com/comprehend/latest/dg/training-classifier-model.html
CLASSIFIER_LANGUAGES: Final = LANGUAGES[:6]


class Mode(StrEnum):
    """Whether a document has one class or several labels."""

    MULTI_CLASS = "multi_class"
    MULTI_LABEL = "multi_label"


class Request(StrEnum):
    """What the state machine asks the function, and the keys of it."""

    ACTION = "Action"
    NAME = "Name"
    PREFIX = "Prefix"
    JOB = "JobId"
    FOLDER = "Folder"
    STARTED = "Started"
    PIECE_BYTES = "PieceBytes"
    TEXT_BYTES = "TextBytes"
    MAP_RESULTS = "MapResults"
    CLASSIFICATION = "Classification"
    TRAINING = "Training"
    ATTRIBUTE = "Attribute"


class Action(StrEnum):
    """What the function does."""

    SURVEY = "survey"
    UNPACK = "unpack"
    LIST_TEXTS = "list_texts"
    GATHER = "gather"


class Surveyed(StrEnum):
    """What a survey answers."""

    DOCUMENTS = "Documents"
    PAGES = "Pages"
    REFUSED = "Refused"
    ESTIMATE = "EstimatedUsd"
    LIST = "List"
    CLASSIFIER = "Classifier"


class Noted(StrEnum):
    """The keys of the note of the classifier that is used."""

    ARN = "Arn"
    F1 = "F1"
    EXECUTION = "Execution"


class Texts(StrEnum):
    """What the function answers about the texts that can be classified."""

    COUNT = "Count"
    LIST = "List"


class Classified(StrEnum):
    """What is kept about the classes of a text, or of all."""

    CLASSES = "Classes"
    ERRORS = "Errors"
    FAULT = "Fault"


class Listed(StrEnum):
    """The keys of a document in the list that is read."""

    KEY = "Key"
    VERSION = "VersionId"
    NUMBER = "Number"
    PAGES = "Pages"
    ERROR = "Error"
    REASON = "Reason"


class Unpacked(StrEnum):
    """What the function answers about a document that Textract has read."""

    PAGES = "Pages"
    CHARACTERS = "Characters"
    SAMPLE = "Sample"
    PIECES = "Pieces"


class Ended(StrEnum):
    """What the execution of one document ends with."""

    NUMBER = "Number"
    STATUS = "Status"
    LANGUAGE = "Language"
    NOTE = "Note"
    FOLDER = "Folder"
    ERROR = "Error"
    REASON = "Reason"


class Status(StrEnum):
    """What has become of a document."""

    READ = "READ"
    # Textract has read it, and not everything could be found out about its text.
    PARTLY_READ = "PARTLY_READ"
    NOT_READ = "NOT_READ"


class Gathered(StrEnum):
    """What the function answers at the end, which is also what the report says."""

    DOCUMENTS = "Documents"
    READ = "Read"
    PARTLY_READ = "PartlyRead"
    NOT_READ = "NotRead"
    PAGES = "Pages"
    REPORT = "Report"


def find_piece_bytes(insights: Collection[str]) -> int:
    """The bytes of text that Comprehend is asked about at a time, by what it looks for."""
    return SYNTAX_PIECE_BYTES if Insight.SYNTAX in insights else PIECE_BYTES


def name_classifier(environment: str) -> str:
    """What Comprehend calls the classifier of an environment, whose versions are those that executions train."""
    return f"headrace-{environment}-documents"


def name_endpoints(environment: str) -> str:
    """How the names of an environment's endpoints for classification begin: they have 40 characters at most."""
    return f"headrace-{environment[:17]}-"


def name_folder(name: str) -> str:
    """Where everything about one execution's documents is in the work bucket."""
    return f"{WORK_PREFIX}{name}/"
