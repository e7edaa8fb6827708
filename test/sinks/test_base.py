"""Folders of earlier runs."""

from rtreid_ros.sinks.base import unused_folder

NAMES = ("tracks.txt", "bag")


def test_the_folder_of_an_earlier_run_is_left_to_it(tmp_path):
    folder = tmp_path / "run"
    assert unused_folder(folder, NAMES) == folder
    (folder / "log").mkdir(parents=True)
    (folder / "log" / "note.txt").write_text("not ours")
    assert unused_folder(folder, NAMES) == folder
    (folder / "tracks.txt").write_text("1")
    assert unused_folder(folder, NAMES) == tmp_path / "run-2"
    unfinished = tmp_path / "run-2" / "bag.partial" / "bag"
    unfinished.mkdir(parents=True)
    (unfinished / "bag.mcap").touch()
    assert unused_folder(folder, NAMES) == tmp_path / "run-2", "nothing was recorded there"
    (unfinished / "bag.mcap").write_text("1")
    assert unused_folder(folder, NAMES) == tmp_path / "run-3"
