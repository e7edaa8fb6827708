from rtreid_ros.reporting.flipbook import flipbook
from rtreid_ros.reporting.page import figure


def test_the_last_picture_is_chosen_and_all_can_be_reached():
    book = flipbook([figure(f"<img alt='{number}'>") for number in range(3)])
    assert book.count("<figure") == book.count("<img") == 3
    assert 'min="0" max="2" value="2"' in book
    assert book.count("<script>") == book.count("</script>") == 1


def test_one_picture_needs_no_slider():
    assert flipbook([figure("<img>")]) == figure("<img>")
    assert flipbook([]) == ""
