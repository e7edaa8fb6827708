"""Sections of the models' card."""

from rtreid_ros.runtime.model_card import CARD, write_section


def test_a_section_takes_the_place_of_its_older_self_and_leaves_the_others(tmp_path):
    for name in ("One", "Two", "Three"):
        write_section(tmp_path, f"# {name}\nold text\n\n## Part\n")
    write_section(tmp_path, "# Two\nnew text\n")
    after = (tmp_path / CARD).read_text()
    assert "# Two\nnew text\n\n# Three\nold text" in after
    assert after.startswith("# One\nold text")
    assert after.count("# Two") == 1
