"""RecordIO: tables of numbers and images as SageMaker's built-in algorithms read them, and Pipe mode's streams."""

from millrace.recordio.framing import Frame, Readable, RecordIOError, frame_record, read_frames
from millrace.recordio.images import ImageFile, ImageRecord, load_images, unpack_images, write_images
from millrace.recordio.pipes import make_pipe, open_epoch, read_objects, send_objects
from millrace.recordio.reading import read_batches, read_rows
from millrace.recordio.records import Record, Tensor, TensorType, read_records, write_records
from millrace.recordio.rows import CsrMatrix, Rows, SparseRows
from millrace.recordio.writing import write_batches, write_rows

__all__ = [
    "CsrMatrix",
    "Frame",
    "ImageFile",
    "ImageRecord",
    "Readable",
    "Record",
    "RecordIOError",
    "Rows",
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
