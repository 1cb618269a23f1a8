"""docs/planted-bugs.md names every plant of the engine, and tests that exist."""

from tests.differential.planted import ROOT, features, page


def test_the_page_names_every_plant_once() -> None:
    assert sorted(row.plant for row in page()) == features()


def test_the_page_names_tests_that_exist() -> None:
    wrong = []
    for row in page():
        file, _, name = row.test.partition("::")
        path = ROOT / file
        if not path.is_file() or f" {name}(" not in path.read_text(encoding="utf-8"):
            wrong.append(row.test)
    assert wrong == []
