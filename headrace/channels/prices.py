"""What storage costs: the inventory's list prices, for planning. A GB is 2**30 bytes, as AWS bills it."""

from typing import Final

from headrace.inventory.prices import usual_prices

_PRICES: Final = usual_prices()
REGION: Final = _PRICES.region
CHECKED: Final = _PRICES.checked.isoformat()

# S3 Intelligent-Tiering, Frequent Access tier: what is read every month stays there.
S3_GB_MONTH: Final = _PRICES.each("s3-gb-month")
S3_MONITORED_OBJECT_MONTH: Final = _PRICES.each("s3-monitored-object-month")
S3_PUT: Final = _PRICES.each("s3-put")
S3_LIST: Final = _PRICES.each("s3-list")
S3_GET: Final = _PRICES.each("s3-get")

# EFS, Regional, Standard class, Elastic throughput.
EFS_GB_MONTH: Final = _PRICES.each("efs-gb-month")
EFS_GB_READ: Final = _PRICES.each("efs-gb-read")
EFS_GB_WRITTEN: Final = _PRICES.each("efs-gb-written")
EFS_IA_GB_READ: Final = _PRICES.each("efs-ia-gb-read")

# FSx for Lustre, SCRATCH_2 on SSD: the cheapest that can be linked to a bucket.
FSX_GB_MONTH: Final = _PRICES.each("fsx-scratch-gb-month")
