"""Names that the infrastructure gives and the functions read; standard library only."""

from enum import StrEnum
from typing import Final

FUNCTION_HANDLER: Final = "documents.handler.handle"
NOTICES_HANDLER: Final = "documents.notices.handle"
MEMORY_MIB: Final = 2048
# For the results of an execution before they are sent: about 70 KB for a full page with syntax.
DISK_MIB: Final = 4096
# A whole set is looked through and put together in one call; Lambda allows no more.
TIMEOUT_SECONDS: Final = 900
NOTICES_MEMORY_MIB: Final = 256
NOTICES_TIMEOUT_SECONDS: Final = 60

# The keys of the object that keeps a task's token, and of what that task ends with.
TASK: Final = "Task"
JOB_STATUS: Final = "Status"


class Variable(StrEnum):
    """The functions' environment variables.

    They are the two buckets, the most documents and pages that an execution may read, what a page and its text cost in
    US dollars, and what an execution costs besides; and how many characters can be classified in time, where documents
    are.
    """

    RAW = "DOCUMENTS_RAW_BUCKET"
    WORK = "DOCUMENTS_WORK_BUCKET"
    MOST_DOCUMENTS = "DOCUMENTS_MOST_DOCUMENTS"
    MOST_PAGES = "DOCUMENTS_MOST_PAGES"
    PAGE_USD = "DOCUMENTS_PAGE_USD"
    EXECUTION_USD = "DOCUMENTS_EXECUTION_USD"
    CLASSIFIES = "DOCUMENTS_CLASSIFIES"
