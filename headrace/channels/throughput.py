"""How fast storage is: what AWS documents where it does, an assumption where it does not."""

from typing import Final

MIB: Final = 2**20
GIB: Final = 2**30
TIB: Final = 2**40

# "about 5 minutes" for 50 GB in files of 100 MB:
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data-best-practices.html
S3_BYTES_PER_SECOND: Final = 50e9 / 300
# Assumption, from small objects' median of "tens of milliseconds":
# https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/timeouts-and-retries-for-latency-sensitive-applications.html
S3_REQUEST_SECONDS: Final = 0.05
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
S3_KEYS_PER_LISTING: Final = 1000
# Assumption: SageMaker fetches 50 objects at a time in File and Pipe mode.
S3_OBJECTS_PER_SECOND: Final = 50 / S3_REQUEST_SECONDS

# Per instance: https://docs.aws.amazon.com/efs/latest/ug/performance.html
EFS_BYTES_PER_SECOND: Final = 500 * MIB
# Every operation is metered as at least this: https://docs.aws.amazon.com/efs/latest/ug/performance.html
EFS_LEAST_METERED_BYTES: Final = 4096
# Assumption: opening, reading and closing a small file are a few round trips of a millisecond or two.
EFS_FILE_SECONDS: Final = 0.005

# SCRATCH_2 from disk, without bursts, all instances together:
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/ssd-storage.html
FSX_BYTES_PER_SECOND_PER_TIB: Final = 200e6
# Assumption, from the "sub-ms" latencies on the same page.
FSX_FILE_SECONDS: Final = 0.001
# https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateFileSystem.html
FSX_LEAST_GIB: Final = 1200
FSX_STEP_GIB: Final = 2400
# Assumption: what it takes to create a file system and link it to a bucket.
FSX_CREATION_SECONDS: Final = 600.0

# Assumptions about the instance: its volume, the workers of its data loader, mounting a file system.
VOLUME_BYTES_PER_SECOND: Final = 250e6
VOLUME_FILE_SECONDS: Final = 0.001
READERS: Final = 8
MOUNT_SECONDS: Final = 5.0
# Assumption: data that is not on AWS yet comes over 100 Mbit/s.
UPLOAD_BYTES_PER_SECOND: Final = 12.5e6

# The largest VolumeSizeInGB: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
LARGEST_VOLUME_BYTES: Final = 16 * TIB
# What AWS calls large enough for FastFile, on the page of S3_BYTES_PER_SECOND.
LARGE_FILE_BYTES: Final = 50_000_000
