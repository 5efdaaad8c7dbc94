"""Seven ways to bring data to code: `s3://` addresses and paths of this machine alike."""

from headrace.data.addresses import parse_address
from headrace.data.entries import Entry, Usage
from headrace.data.errors import (
    AccessDeniedError,
    AddressError,
    BlockedError,
    ChangedObjectError,
    CredentialsError,
    DamagedObjectError,
    DataError,
    KeyRefusedError,
    MissingObjectError,
)
from headrace.data.frameworks import file_system, storage_options
from headrace.data.listing import add_up, list_objects, measure_usage
from headrace.data.patterns import Pattern, Patterns
from headrace.data.reading import open_object, read_bytes, temporary_file, write_bytes
from headrace.data.replication import replicate
from headrace.data.reports import IncompleteError, Progress, Report, Skipped
from headrace.data.streams import write_stream
from headrace.s3.addresses import S3Address

__all__ = [
    "AccessDeniedError",
    "AddressError",
    "BlockedError",
    "ChangedObjectError",
    "CredentialsError",
    "DamagedObjectError",
    "DataError",
    "Entry",
    "IncompleteError",
    "KeyRefusedError",
    "MissingObjectError",
    "Pattern",
    "Patterns",
    "Progress",
    "Report",
    "S3Address",
    "Skipped",
    "Usage",
    "add_up",
    "file_system",
    "list_objects",
    "measure_usage",
    "open_object",
    "parse_address",
    "read_bytes",
    "replicate",
    "storage_options",
    "temporary_file",
    "write_bytes",
    "write_stream",
]
