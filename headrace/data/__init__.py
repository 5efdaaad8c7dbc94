"""Seven ways to bring data to code: `s3://` addresses and paths of this machine alike."""

from headrace.data.addresses import S3Address, parse_address
from headrace.data.errors import (
    AccessDeniedError,
    AddressError,
    ChangedObjectError,
    DamagedObjectError,
    DataError,
    KeyRefusedError,
    MissingObjectError,
)
from headrace.data.frameworks import file_system, storage_options
from headrace.data.listing import Entry, Usage, list_objects, measure_usage
from headrace.data.reading import open_object, read_bytes, temporary_file, write_bytes
from headrace.data.replication import Progress, Report, replicate

__all__ = [
    "AccessDeniedError",
    "AddressError",
    "ChangedObjectError",
    "DamagedObjectError",
    "DataError",
    "Entry",
    "KeyRefusedError",
    "MissingObjectError",
    "Progress",
    "Report",
    "S3Address",
    "Usage",
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
]
