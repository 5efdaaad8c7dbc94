"""The owner's key of a local cloud and where it is kept."""

import re
from pathlib import Path

from headrace.local.engine import credentials


def test_makes_keys_in_the_shape_of_aws_that_need_no_quoting_in_a_shell() -> None:
    key, temporary = credentials.make_key(), credentials.make_key("ASIA")

    assert re.fullmatch("AKIA[A-Z2-7]{16}", key.key_id)
    assert re.fullmatch("[A-Za-z0-9]{40}", key.secret)
    assert (key.session_token, temporary.key_id[:4]) == (None, "ASIA")
    assert temporary.session_token


def test_keeps_the_secret_out_of_what_is_printed() -> None:
    key = credentials.make_key("ASIA")

    assert key.secret not in repr(key)
    assert str(key.session_token) not in repr(key)


def test_keeps_the_owners_key_where_only_the_owner_can_read_it(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{}")

    key = credentials.renew_owner_key(tmp_path)

    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert credentials.read_owner_key(tmp_path) == key


def test_makes_another_key_at_each_start(tmp_path: Path) -> None:
    assert credentials.renew_owner_key(tmp_path) != credentials.renew_owner_key(tmp_path)
