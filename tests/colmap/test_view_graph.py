from itertools import pairwise

import pytest

from dad_sfm.colmap.view_graph import ViewGraph, connected, read_view_graph


def test_components_are_ordered_by_size_then_name():
    edges = [("d", "c"), ("x", "y"), ("y", "z"), ("b", "a")]
    found = connected("abcdxyzs", edges)
    assert found == [["x", "y", "z"], ["a", "b"], ["c", "d"], ["s"]]


def test_a_long_chain_does_not_recurse():
    names = [f"{i:05d}" for i in range(5000)]
    assert connected(names, pairwise(names)) == [names]


def test_best_pairs():
    graph = ViewGraph(
        {"a": 9, "b": 9, "c": 0},
        {("a", "b"): 40, ("a", "c"): 3},
        {("a", "b"): 20},
    )
    assert graph.best_matches() == {"a": 40, "b": 40, "c": 3}
    assert graph.best_inliers() == {"a": 20, "b": 20, "c": 0}
    assert graph.components() == [["a", "b"], ["c"]]


def test_a_missing_database_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.db"):
        read_view_graph(tmp_path / "no.db")
