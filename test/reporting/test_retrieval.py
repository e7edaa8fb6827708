"""Searches as pictures."""

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.pictures import number_of, picture

from rtreid_ros.datasets.identities.base import IdentitySet
from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.retrieval import Features, RetrievalOptions, Search, judge_retrieval
from rtreid_ros.reporting.retrieval import (
    matching_curves,
    retrieval_page,
    retrieval_section,
    retrieval_table,
)


def pictures(identities, cameras, first=0, broken=()):
    def read(row):
        if row in broken:
            raise SourceError("<torn>")
        return picture(first + row, (20, 10))

    names = tuple(f"<{first + row}>.jpg" for row in range(len(identities)))
    count = len(identities)
    return IdentitySet(names, np.array(identities), np.array(cameras), np.full(count, -1), read)


def embed(pictures, angles):
    angles = np.radians(angles)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Features(vectors, pictures.identities, pictures.cameras)


@pytest.fixture
def search():
    """Queries 0 and 1 are found at once and second; 2 has no right match."""
    queries, gallery = pictures([1, 2, 9], [0, 0, 0]), pictures([1, 1, 2, 3], [0, 1, 1, 1], first=4)
    figures = judge_retrieval(
        embed(queries, [0, 50, 90]), embed(gallery, [1, 2, 40, 50]), RetrievalOptions(best=3)
    )
    return figures, queries, gallery


def shots(markup):
    """Class and number of every picture, in rows."""
    rows = []
    for row in re.findall(r'<figure class="hunt">.*?</figure>', markup):
        found = re.findall(r'<img class="(\w+)" src="data:image/jpeg;base64,([^"]+)"', row)
        rows.append([(kind, number_of(_decode(data))) for kind, data in found])
    return rows


def _decode(data):
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_the_hardest_query_comes_first_with_what_was_found_in_frames(search):
    hard, easy = shots(retrieval_section(*search, hardest=1, random=5))
    assert hard == [("asked", 1), ("wrong", 7), ("right", 6), ("wrong", 5)]
    # the picture of its own camera (4) does not count
    assert easy == [("asked", 0), ("right", 5), ("wrong", 6), ("wrong", 7)]


def test_the_same_seed_shows_the_same_queries():
    rng = np.random.default_rng(0)
    who = rng.integers(0, 3, 20)
    queries, gallery = pictures(who, np.zeros(20, int)), pictures(who, np.ones(20, int))
    figures = judge_retrieval(*(embed(part, rng.uniform(0, 90, 20)) for part in (queries, gallery)))
    one, same, other = (
        shots(retrieval_section(figures, queries, gallery, hardest=0, random=4, seed=seed))
        for seed in (1, 1, 2)
    )
    assert one == same != other
    assert len(one) == 4


def test_a_picture_that_cannot_be_read_any_more_leaves_a_gap(search):
    figures, queries, _ = search
    gallery = pictures([1, 1, 2, 3], [0, 1, 1, 1], first=4, broken={2})
    markup = retrieval_section(figures, queries, gallery)
    assert '<span class="right"' in markup
    assert "<torn>" not in markup


def test_a_page_shows_the_pictures_that_were_judged():
    queries, gallery = pictures([1, 2, 1], [0, 0, 0], broken={0}), pictures([3, 1, 2], [1, 1, 1], first=4)
    query = embed(queries, [80, 50, 0])[1:]  # the first could not be read
    figures = judge_retrieval(query, embed(gallery, [0, 10, 40]))
    flipped = replace(figures, tricks=("flip",))
    one = Search("one<", query, embed(gallery, [0, 10, 40]), (figures, flipped), 1.0, 6)
    two = replace(one, name="two", steps=(figures,))
    markup = retrieval_page([one, two], queries, gallery, "a remark")
    asked = [row[0] for row in shots(markup)]
    assert sorted(asked) == [("asked", 1), ("asked", 1), ("asked", 2), ("asked", 2)]
    rows = re.findall(r"<tr[^>]*><td[^>]*>([^<]*)</td>", markup)
    assert rows == ["one&lt;", "one&lt; + flip", "two"]
    assert "one<" not in markup
    assert "a remark" in markup


def test_names_are_escaped(search):
    markup = retrieval_section(*search)
    assert "&lt;1&gt;.jpg" in markup
    assert "<1>" not in markup


def test_nothing_judged_makes_no_section():
    queries, gallery = pictures([1], [0]), pictures([2], [1])
    figures = judge_retrieval(embed(queries, [0]), embed(gallery, [0]))
    assert retrieval_section(figures, queries, gallery) == ""


def test_curves_and_table_show_every_search(search):
    names = ("<plain>", "other")
    figures = (search[0], search[0])
    curves = matching_curves(names, figures)
    assert curves.count("<polyline") == 2
    assert "<plain>" not in curves
    rows = re.findall(r"<td[^>]*>([^<]*)</td>", retrieval_table(names, figures))
    assert rows[:9] == ["&lt;plain&gt;", "50.00", "100.00", "100.00", "75.00", "75.00", "2", "4", "1"]
