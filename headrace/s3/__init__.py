"""S3 as every client here sees it: what an address is, what a refusal means, what HEAD says."""
