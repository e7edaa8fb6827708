"""Sections of options: read, laid over, checked, and shown again."""

from dataclasses import dataclass

import pytest

from rtreid_ros.configuration import (
    Choosing,
    Typed,
    as_mapping,
    build_choice,
    build_chosen,
    build_section,
    built_in_configs,
    find_config,
    option_lines,
    plain_values,
    read_override,
    read_sections,
)
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class Choice:
    """Names something."""

    name: str = option("bread", "what is baked", choices=("bread", "cake"))
    loaves: int = option(2, "how many", ge=1)


@dataclass(frozen=True, slots=True)
class Cake:
    """Options of what is named."""

    sugar: float = option(0.25, "share of sugar", ge=0, le=1)
    toppings: tuple[str, ...] = option((), "what goes on top")


@dataclass(frozen=True, slots=True)
class SaltedCake(Cake):
    """Options that others have, too, in the same sense or in another."""

    salt: float = option(0.0, "share of salt", ge=0)
    heat: str = option("low", "of the oven", choices=("low",))


@dataclass(frozen=True, slots=True)
class Bread:
    """Options of something else."""

    yeast: float = option(0.01, "share of yeast", ge=0, le=1)
    salt: float = option(0.02, "share of salt", ge=0)
    heat: str = option("high", "of the oven", choices=("high",))


BAKED = Choosing("name", {"bread": Bread, "cake": SaltedCake}.__getitem__)

KNOWN = ("dough", "oven")


def test_sections_not_given_are_empty_or_have_their_defaults():
    assert read_sections("dough: {name: cake}", KNOWN) == {"dough": {"name": "cake"}, "oven": {}}
    assert read_sections("", KNOWN) == {"dough": {}, "oven": {}}
    defaults = {"oven": {"heat": 200}}
    assert read_sections({"dough": None}, KNOWN, defaults) == {"dough": {}, "oven": {"heat": 200}}
    assert read_sections("oven:", KNOWN, defaults)["oven"] == {}


def test_what_is_read_is_a_copy():
    source, defaults = {"dough": {"name": "cake"}}, {"oven": {"heat": 200}}
    given = read_sections(source, KNOWN, defaults)
    given["dough"]["name"] = given["oven"]["heat"] = None
    assert (source, defaults) == ({"dough": {"name": "cake"}}, {"oven": {"heat": 200}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "cannot be read as YAML"),
        ("[1]", r"expected sections \(dough, oven\), got \[1\]"),
        ("doug: {}", r"no section 'doug' \(did you mean 'dough'\?\); known: dough, oven"),
        ("1: {}", "no section '1'; known: dough, oven"),
        ("dough: 3", "dough must be a mapping of options, got 3"),
    ],
)
def test_what_is_no_configuration_is_said_with_the_file(tmp_path, text, message):
    with pytest.raises(ConfigError, match=f"^configuration: {message}"):
        read_sections(text, KNOWN)
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"^{path}: {message}"):
        read_sections(path, KNOWN)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfa"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "none.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{path}: cannot be read as YAML"):
        read_sections(path, KNOWN)


def test_options_of_a_place_are_a_mapping_or_nothing():
    assert as_mapping(None, "oven") == {}
    assert as_mapping({"heat": 200}, "oven") == {"heat": 200}
    with pytest.raises(ConfigError, match=r"^oven\.fan must be a mapping of options, got \[\]"):
        as_mapping([], "oven.fan")


def test_overrides_are_split_at_the_first_dot_and_the_first_equals_sign():
    assert read_override(" oven.fan.speed = a=b ", KNOWN) == ("oven", "fan.speed", "a=b")
    assert read_override("oven.fan=", KNOWN) == ("oven", "fan", "")


@pytest.mark.parametrize("text", ["oven", "oven=3", "oven.=3", "oven.heat", ""])
def test_an_override_of_another_form_is_refused(text):
    with pytest.raises(ConfigError, match=f"^expected section.key=value, got '{text}'"):
        read_override(text, KNOWN)


def test_an_override_of_an_unknown_section_is_refused():
    with pytest.raises(ConfigError, match=r"^no section 'ovn' \(did you mean 'oven'\?\); known: dough, oven"):
        read_override("ovn.heat=3", KNOWN)


def test_values_are_plain_or_typed():
    assert build_section(Cake, "dough", {"sugar": 1, "toppings": [1, "nuts"]}) == Cake(1.0, ("1", "nuts"))
    made = build_section(Cake, "dough", {"sugar": Typed("0.5"), "toppings": Typed("nuts, cream")})
    assert made == Cake(0.5, ("nuts", "cream"))
    named = build_section(Choice, "dough", {"name": Typed("cake")})
    assert type(named.name) is str  # checkpoints hold it


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"suger": 1}, r"^dough has no option 'suger' \(did you mean 'sugar'\?\); known: sugar, toppings$"),
        ({1: 1}, "^dough has no option '1'; known"),
        ({"sugar": 2.0}, r"^dough: sugar must be a number >= 0 and <= 1, got 2\.0"),
        ({"sugar": Typed("x")}, "^dough: sugar must be a number >= 0 and <= 1, got 'x'"),
        ({"sugar": "0.5"}, "^dough: sugar must be a number"),
    ],
)
def test_complaints_name_the_section(values, message):
    with pytest.raises(ConfigError, match=message):
        build_section(Cake, "dough", values)


def test_options_of_what_is_named_stand_beside_its_name():
    choice, rest = build_choice(Choice, "dough", {"sugar": 0.5, "name": "cake"}, BAKED)
    assert (choice, rest) == (Choice("cake"), {"sugar": 0.5})
    assert build_chosen(Cake, "dough", rest, choice) == Cake(0.5)
    with pytest.raises(ConfigError, match=r"^dough has no option 'salt'; known: name, loaves, sugar"):
        build_chosen(Cake, "dough", {"salt": 1}, choice)
    with pytest.raises(ConfigError, match=r"^dough: loaves must be an integer >= 1, got 0"):
        build_choice(Choice, "dough", {"loaves": 0, "salt": 1}, BAKED)


@pytest.mark.parametrize(
    ("file", "typed", "left"),
    [
        ({"name": "cake", "sugar": 0.5, "salt": 0.1, "loaves": 3}, ["name=bread"], {"salt": 0.1}),
        ({"name": "cake", "sugar": 0.5, "heat": "low"}, ["name=bread", "name=bread"], {}),
        ({"name": "cake", "sugar": 0.5}, ["name=cake"], {"sugar": 0.5}),
        (
            {"name": "cake", "sugar": 0.5},
            ["name=bread", "sugar=0.2"],
            {"sugar": "0.2"},
        ),  # who types it means it
        ({"name": "cake", "suger": 0.5}, ["name=bread"], {"suger": 0.5}),  # nobody's
        ({"yeast": 0.2, "salt": 0.1}, ["name=cake"], {"salt": 0.1}),  # bread is the default
        ({"name": "bread", "sugar": 0.5}, [], {"sugar": 0.5}),
    ],
)
def test_what_a_file_says_of_something_that_was_replaced_is_left_out(file, typed, left):
    values = dict(file)
    for text in typed:
        read_override(f"dough.{text}", KNOWN).lay_over(values)
    choice, rest = build_choice(Choice, "dough", values, BAKED)
    assert rest == left
    assert choice.loaves == file.get("loaves", 2)


def test_values_of_a_section_read_back_to_the_same():
    choice, cake = Choice("cake", 3), Cake(0.0, ("nuts", "no: cream"))
    values = plain_values(choice, cake)
    assert values == {"name": "cake", "loaves": 3, "sugar": 0.0, "toppings": ["nuts", "no: cream"]}
    text = "\n".join(["dough:", *option_lines(values, Choice, Cake)])
    for source in ({"dough": values}, text):
        read, rest = build_choice(Choice, "dough", read_sections(source, KNOWN)["dough"], BAKED)
        assert (read, build_chosen(Cake, "dough", rest, read)) == (choice, cake)


def test_lines_say_what_options_do_where_that_is_described():
    values = plain_values(Choice(), Cake())
    assert option_lines(values, Choice, indent=4) == [
        "    # what is baked (bread, cake)",
        "    name: bread",
        "    # how many",
        "    loaves: 2",
        "    sugar: 0.25",
        "    toppings: []",
    ]


def test_long_values_stay_on_one_line():
    assert len(option_lines({"words": ["word"] * 500})) == 1


def test_configurations_are_found_by_path_and_by_name(tmp_path):
    path = tmp_path / "mine.yaml"
    path.touch()
    assert find_config(str(path), "reid") == path
    assert find_config("osnet", "reid") == built_in_configs("reid")["osnet"]
    with pytest.raises(ConfigError, match=r"no configuration 'osnt' \(did you mean 'osnet'\?\); give a YAML"):
        find_config("osnt", "reid")
    with pytest.raises(ConfigError, match=r"one of \(none installed\)"):
        find_config("osnet", "nothing")
