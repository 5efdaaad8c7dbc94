import threading

from containers.shared.job.last_save import LastSave


def test_saves_what_is_done_before_it_is_ended() -> None:
    saving = LastSave()
    with saving.offering():
        ended = threading.Thread(target=saving.await_saved)
        ended.start()
        while not saving.is_asked:
            pass
        assert ended.is_alive()
        saving.note_saved()
        ended.join(100)

    assert not ended.is_alive()


def test_waits_for_no_save_where_there_is_nothing_to_save() -> None:
    saving = LastSave()

    saving.await_saved()

    assert not saving.is_asked
