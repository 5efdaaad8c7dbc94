"""Which browsers are known."""

import pytest

from headrace.local.page.sessions import Sessions


def test_knows_a_browser_by_its_path_and_its_cookie() -> None:
    sessions = Sessions()
    session = sessions.open()

    assert sessions.find(session.place, f"headrace={session.key}") is session
    assert sessions.find(session.place, f"other=1; headrace=planted; headrace={session.key}") is session


@pytest.mark.parametrize("cookies", ["", "headrace=", "headrace=other", "other=1", "headrace", "\udcff", "headrace=é"])
def test_knows_no_browser_without_its_cookie(cookies: str) -> None:
    sessions = Sessions()

    assert sessions.find(sessions.open().place, cookies) is None


def test_takes_the_cookie_of_no_other_session() -> None:
    sessions = Sessions()
    one, other = sessions.open(), sessions.open()

    assert sessions.find(one.place, f"headrace={other.key}") is None
    assert not one.owns_form(other.form_key)
    assert one.owns_form(one.form_key)


def test_gives_a_cookie_that_scripts_and_other_ports_are_not_told() -> None:
    session = Sessions().open()

    assert session.cookie == (
        f"headrace={session.key}; Path=/_headrace/{session.place}/; Max-Age=43200; HttpOnly; SameSite=Strict"
    )
    assert len(session.place) > 40


def test_keeps_the_latest_sessions() -> None:
    sessions = Sessions()
    opened = [sessions.open() for _ in range(20)]
    known = [session for session in opened if sessions.find(session.place, f"headrace={session.key}")]

    assert known == opened[-16:]
