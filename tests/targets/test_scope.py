"""Who is in scope: new or existing, class and date known or not."""

import pandas as pd
import pytest

from rooftop.targets import load_pack, mark_new
from rooftop.targets.models import Scope, YearSpan
from rooftop.targets.scope import NO, PRESUMED, UNKNOWN, YES, facts, membership
from targets_example import roof, table

PERIOD = YearSpan(start=2021, end=2025)
FACTORY = Scope(building_use=("factory",))
NEW_FACTORY = Scope(building_use=("factory",), completed="cohort")
PUBLIC = Scope(is_public_institution="yes")


def answer(scope, cohort=PERIOD, **columns):
    return int(membership(scope, facts(table([roof("x", **columns)])), cohort)[0])


@pytest.mark.parametrize(
    ("completion_date", "year_built", "expected"),
    [
        ("2021-01-01", None, "yes"),
        ("2025-12-31", None, "yes"),
        ("2020-12-31", None, "no"),
        ("2026-01-01", None, "no"),
        ("2023", None, "yes"),
        ("2023-05", None, "yes"),
        (None, 2022, "yes"),
        (None, 2019, "no"),
        ("2019-06-01", 2023, "no"),
        ("2023-06-01", 1990, "yes"),
        (None, None, "unknown"),
        ("unknown", None, "unknown"),
        ("20231", 2023, "yes"),
    ],
)
def test_new_by_date_before_year(completion_date, year_built, expected):
    roofs = table([roof("x", completion_date=completion_date, year_built=year_built)])
    assert mark_new(roofs, load_pack("lianyungang")).tolist() == [expected]


def test_new_keeps_the_index_and_follows_the_period():
    roofs = table([roof("x", year_built=2027), roof("y", year_built=2020)]).set_index(pd.Index([7, 3]))
    assert mark_new(roofs, load_pack("pinghu")).to_dict() == {7: "yes", 3: "no"}
    assert mark_new(roofs, load_pack("lianyungang")).to_dict() == {7: "no", 3: "no"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"building_use": "factory"}, YES),
        ({"building_use": "residential"}, NO),
        ({"building_use": "office"}, NO),
        ({"building_use": "unknown"}, UNKNOWN),
        ({"building_use": None}, UNKNOWN),
        ({"building_use": "mixed"}, UNKNOWN),
        # A public institution of unknown use is no factory: factories never are public institutions.
        ({"building_use": "unknown", "is_public_institution": "yes"}, NO),
        ({"building_use": "factory", "is_public_institution": "yes"}, YES),
        # GHYT 20 covers factories, warehouses and transport: presumed.
        ({"building_use": "factory", "use_source": "code:GHYT"}, PRESUMED),
        ({"building_use": "residential", "use_source": "code:GHYT"}, NO),
    ],
)
def test_factory(columns, expected):
    assert answer(FACTORY, **columns) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"building_use": "school"}, UNKNOWN),
        ({"building_use": "school", "is_public_institution": "yes"}, YES),
        ({"building_use": "school", "is_public_institution": "no"}, NO),
        # Homes, shops and factories never are public institutions: an unknown owner does not matter.
        ({"building_use": "residential"}, NO),
        ({"building_use": "factory"}, NO),
        ({"building_use": "factory", "is_public_institution": "yes"}, YES),
        ({"building_use": "unknown"}, UNKNOWN),
    ],
)
def test_public_institution(columns, expected):
    assert answer(PUBLIC, **columns) == expected


def test_date_and_class_meet():
    assert answer(NEW_FACTORY, building_use="factory", year_built=2023) == YES
    assert answer(NEW_FACTORY, building_use="factory", year_built=2010) == NO
    assert answer(NEW_FACTORY, building_use="factory") == UNKNOWN
    assert answer(NEW_FACTORY, building_use="unknown", year_built=2010) == NO
    assert answer(NEW_FACTORY, building_use="factory", use_source="code:GHYT", year_built=2023) == PRESUMED
    assert answer(NEW_FACTORY, building_use="factory", use_source="code:GHYT") == UNKNOWN
    assert answer(NEW_FACTORY, cohort=YearSpan(start=2024, end=2024), building_use="factory", year_built=2023) == NO
    assert answer(NEW_FACTORY, cohort=None, building_use="factory") == YES


def test_what_holds_either_way_is_certain():
    either = Scope(any=(Scope(is_public_institution="yes"), Scope(is_public_institution="no")))
    assert answer(either, building_use="school") == YES
    old_or_new = Scope(
        any=(Scope(completed=YearSpan(start=1900, end=2020)), Scope(completed=YearSpan(start=2015, end=2100)))
    )
    assert answer(old_or_new, building_use="school", year_built=2018) == YES
    never = Scope(
        all=(Scope(completed=YearSpan(start=2000, end=2010)), Scope(completed=YearSpan(start=2011, end=2020)))
    )
    assert answer(never, building_use="school") == NO


def test_none_of_and_owner():
    not_private = Scope(none=(Scope(owner_type=("自然人",)),), building_use=("rural_house",))
    assert answer(not_private, building_use="rural_house", owner_type="自然人") == NO
    assert answer(not_private, building_use="rural_house", owner_type="村集体") == YES
    assert answer(not_private, building_use="rural_house") == UNKNOWN
    assert answer(not_private, building_use="school") == NO


def test_many_at_once_keep_their_places():
    rows = [roof("a", building_use="factory"), roof("b", building_use="school"), roof("c", building_use="unknown")]
    known = facts(table(rows * 2))
    assert membership(FACTORY, known, None).tolist() == [YES, NO, UNKNOWN] * 2


@pytest.mark.parametrize(
    ("year", "expected"), [(2020, NO), (2021, YES), (2023, YES), (2025, YES), (2026, NO), (None, UNKNOWN)]
)
def test_a_cohort_holds_its_first_and_last_year(year, expected):
    assert answer(NEW_FACTORY, building_use="factory", year_built=year) == expected
    fixed = Scope(building_use=("factory",), completed=PERIOD)
    assert answer(fixed, None, building_use="factory", year_built=year) == expected
