"""Inputs that lie in different places are told apart, with the distance and what would explain it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from rooftop.config import Config
from rooftop.core.errors import InputError
from rooftop.core.notices import Notice
from rooftop.inputs.gcj02 import wgs84_to_bd09, wgs84_to_gcj02
from rooftop.job.sources import read_sources
from small_town import LAT, LON, METRIC, buildings, config, irradiance, rectangle, write

Move = Callable[[Any, Any], tuple[Any, Any]]


def moved(table: gpd.GeoDataFrame, shift: Move) -> gpd.GeoDataFrame:
    shapes = shapely.transform(table.geometry.to_numpy(), lambda p: np.column_stack(shift(p[:, 0], p[:, 1])))
    return table.set_geometry(gpd.GeoSeries(shapes, crs=table.crs))


def district(margin_deg: float = 0.0005) -> gpd.GeoDataFrame:
    west, south, east, north = buildings().total_bounds
    shape = shapely.box(west - margin_deg, south - margin_deg, east + margin_deg, north + margin_deg)
    return gpd.GeoDataFrame({"code": ["320706"], "name": ["海州区"]}, geometry=[shape], crs=4326)


def told(settings: Config) -> list[Notice]:
    return [n for n in read_sources(settings).notices if n.code == "few_in_place"]


def notices(
    folder: Path, footprints: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, level: str = "districts"
) -> list[Notice]:
    path, other = write(footprints, folder / "b.gpkg"), write(layer, folder / "d.gpkg")
    return told(config(folder, path, **{level: {"path": other, "id_field": "code", "name_field": "name"}}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shift", "mend"),
    [
        (lambda lon, lat: (lon + 3.0, lat), "a zone that is 3° of longitude off"),
        (lambda lon, lat: (lon - 3.0, lat), "a zone that is 3° of longitude off"),
        (lambda lon, lat: (lon + 6.0, lat), "a zone that is 6° of longitude off"),
        (wgs84_to_gcj02, "inputs.districts seems to be in gcj02: set its datum: gcj02"),
        (wgs84_to_bd09, "inputs.districts seems to be in bd09: set its datum: bd09"),
        (lambda lon, lat: (lon, lat + 2.0), "check CRS and datum of inputs.footprints and inputs.districts"),
    ],
)
def test_districts_that_no_building_lies_in_are_refused(shift: Move, mend: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no building lies in any district") as caught:
        notices(tmp_path, buildings(), moved(district(), shift))
    assert mend in str(caught.value)
    assert " km apart" in str(caught.value)


def test_footprints_in_gcj02_are_told_from_districts_that_are_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"inputs\.footprints seems to be in gcj02"):
        notices(tmp_path, moved(buildings(), wgs84_to_gcj02), district())


def test_footprints_in_the_wrong_zone_are_told_by_the_distance(tmp_path: Path) -> None:
    """Eastings of the zone of 120°E, declared in that of 117°E: 275 km west of their district."""
    table = buildings().to_crs(METRIC).set_crs("EPSG:4548", allow_override=True)
    with pytest.raises(InputError, match="3° of longitude off") as caught:
        notices(tmp_path, table, district())
    assert "27" in str(caught.value.details["found"])


def test_swapped_axes_where_both_orders_are_possible(tmp_path: Path) -> None:
    """At 52 N, 4 E both orders are places; only one of them is where the district is."""
    table = moved(buildings(), lambda lon, lat: (lon - LON + 4.37, lat - LAT + 52.01))
    there = moved(district(), lambda lon, lat: (lon - LON + 4.37, lat - LAT + 52.01))
    irradiance(tmp_path / "ghi.tif", 52.0, 4.4)
    with pytest.raises(InputError, match="seem to be swapped"):
        notices(tmp_path, moved(table, lambda lon, lat: (lat, lon)), there)


def test_a_part_outside_is_counted_and_most_of_it_is_warned_of(tmp_path: Path) -> None:
    few = district().assign(geometry=[shapely.buffer(buildings().geometry.iloc[0], 1e-5)])
    found = notices(tmp_path, buildings(), few)
    assert len(found) == 1 and found[0].count == 11 and "only 8%" in found[0].text.en
    assert notices(tmp_path, buildings(), district()) == []


@pytest.mark.parametrize("level", ["towns", "zones"])
def test_towns_and_zones_elsewhere_are_warned_of(level: str, tmp_path: Path) -> None:
    found = notices(tmp_path, buildings(), moved(district(), lambda lon, lat: (lon + 3.0, lat)), level)
    assert len(found) == 1
    assert " km apart" in found[0].text.en and "zone that is 3°" in found[0].text.en


def test_outlines_of_pv_that_lie_on_no_roof_name_their_datum(tmp_path: Path) -> None:
    shapes = [shapely.buffer(rectangle(k), -6.0) for k in range(12)]
    panels = gpd.GeoDataFrame({"kwp": [5.0] * 12}, geometry=shapes, crs=METRIC).to_crs(4326)
    town = write(buildings(), tmp_path / "b.gpkg")
    right, wrong = write(panels, tmp_path / "pv.gpkg"), write(moved(panels, wgs84_to_gcj02), tmp_path / "gcj.gpkg")
    assert not told(config(tmp_path, town, existing_pv={"path": right}))
    with pytest.raises(InputError, match="the polygons lie elsewhere"):
        read_sources(config(tmp_path, town, existing_pv={"path": wrong}))
    x, y = shapely.get_coordinates(shapely.centroid(rectangle(0)))[0] + 900.0
    place = gpd.GeoSeries([shapely.box(x, y, x + 30, y + 20)], crs=METRIC).to_crs(4326)
    farm = buildings(1).assign(bid="Z").set_geometry(place)
    wide = write(gpd.GeoDataFrame(pd.concat([buildings(), farm], ignore_index=True), crs=4326), tmp_path / "wide.gpkg")
    found = told(config(tmp_path, wide, existing_pv={"path": wrong}))
    assert len(found) == 1 and "inputs.existing_pv seems to be in gcj02" in found[0].text.en
