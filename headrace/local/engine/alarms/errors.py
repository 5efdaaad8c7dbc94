"""Why an alarm is not taken."""


class AlarmRefusedError(Exception):
    """An alarm that CloudWatch would refuse, or that the local cloud cannot evaluate; its text says which and why."""
