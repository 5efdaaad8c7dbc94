"""RecordIO: tables of numbers and images as SageMaker's built-in algorithms read them, and Pipe mode's streams."""

from headrace.recordio.framing import Frame, Readable, RecordIOError, frame_record, read_frames
from headrace.recordio.images import ImageFile, ImageRecord, load_images, unpack_images, write_images
from headrace.recordio.pipes import make_pipe, open_epoch, read_objects, send_objects
from headrace.recordio.reading import read_batches, read_rows
from headrace.recordio.records import Record, Tensor, TensorType, read_records, write_records
from headrace.recordio.rows import Rows, SparseMatrix, SparseRows
from headrace.recordio.writing import write_batches, write_rows

__all__ = [
    "Frame",
    "ImageFile",
    "ImageRecord",
    "Readable",
    "Record",
    "RecordIOError",
    "Rows",
    "SparseMatrix",
    "SparseRows",
    "Tensor",
    "TensorType",
    "frame_record",
    "load_images",
    "make_pipe",
    "open_epoch",
    "read_batches",
    "read_frames",
    "read_objects",
    "read_records",
    "read_rows",
    "send_objects",
    "unpack_images",
    "write_batches",
    "write_images",
    "write_records",
    "write_rows",
]
