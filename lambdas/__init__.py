"""The programs that run on AWS Lambda."""
