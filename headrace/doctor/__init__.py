"""What is wrong with a machine, the settings and the account, before anything is deployed."""

from headrace.doctor.examination import Report, Subject, examine
from headrace.doctor.findings import Check, Finding, Severity

__all__ = ["Check", "Finding", "Report", "Severity", "Subject", "examine"]
