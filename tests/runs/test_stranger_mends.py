"""What is wrong is named as what it is: months, units, districts, deliveries, models, losses, schedulers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import CRS

import rooftop
from rasters import write_raster
from rooftop.config import BoundaryInput, FootprintsInput, Losses
from rooftop.core.errors import InputError
from rooftop.core.grid import Tile
from rooftop.inputs.boundaries import assign, read_units
from rooftop.inputs.coordinate_checks import check_coordinates, in_authority_order
from rooftop.inputs.dates import dates
from rooftop.inputs.month_order import likely_order
from rooftop.inputs.storeys import read_storeys, stated_heights
from rooftop.job.batch import run_tiles
from rooftop.job.prepare import prepare
from rooftop.job.sources import read_sources
from rooftop.scene.loss_notices import loss_notices
from rooftop.weather import clear_sky_bound
from small_town import (
    LAT,
    LON,
    METRIC,
    X0,
    Y0,
    buildings,
    codes,
    config,
    degrees,
    elevation,
    rectangle,
    run,
    surface,
    write,
)

HEIGHTS = [6.0 + 1.5 * (k % 5) for k in range(12)]
NORTH = [45.0, 62.0, 98.0, 124.0, 148.0, 152.0, 160.0, 147.0, 115.0, 88.0, 58.0, 43.0]
FREE = np.zeros(36)
AS_TEXT = [0, 9, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8]


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "floors"),
    [("4跃5", 4.0), ("4层跃5层", 4.0), ("三跃四", 3.0), ("6跃", 6.0), ("6跃层", 6.0), ("6+1跃层", 6.0),
     ("6层带阁楼", 6.0), ("跃层", None), ("阁楼", None)],
)  # fmt: skip
def test_flats_on_two_floors_add_no_ten(text: str, floors: float | None) -> None:
    read = read_storeys(text)
    assert (None if read is None else read.value) == floors


def test_a_number_of_days_is_a_date_among_dates_and_a_slip_among_years() -> None:
    years = dates(pd.Series(["2021", "20220", "2019", "2020"], name="y"), "f")
    assert years.years.isna().tolist() == [False, True, False, False]
    assert [(n.code, n.examples) for n in years.notices] == [("year_absurd", ("20220 (1)",))]
    days = dates(pd.Series(["2021-06-30", 44377, "2020-01-02"], dtype=object, name="y"), "f")
    assert days.days.tolist() == ["2021-06-30", "2021-06-30", "2020-01-02"]
    assert [n.code for n in days.notices] == ["date_serial"]
    assert dates(pd.Series([44377.0, 44378.0], name="y"), "f").notices == ()


@pytest.mark.parametrize(("factor", "unit"), [(100.0, "centimetres"), (1000.0, "millimetres")])
@pytest.mark.parametrize("with_floors", [True, False])
def test_heights_in_another_unit_are_refused_before_any_is_dropped(factor: float, unit: str, with_floors: bool) -> None:
    floors = [2, 3, 5, 6, 8, 11, 3]
    table = pd.DataFrame({"h": [3.1 * n * factor for n in floors], "f": floors})
    nothing = pd.Series(np.nan, index=table.index)
    with pytest.raises(InputError, match="not in metres") as caught:
        stated_heights(table, "h", "f" if with_floors else None, nothing, "b.gpkg")
    assert unit in caught.value.render("en") and "米" in caught.value.render("zh")


def test_a_word_for_missing_heights_is_no_unit() -> None:
    table = pd.DataFrame({"h": [9.0, 12.0, 9999.0, 9999.0, 9999.0, 9999.0, 15.0]})
    read = stated_heights(table, "h", None, pd.Series(np.nan, index=table.index), "b.gpkg")
    assert read.height_m.isna().sum() == 4


@pytest.mark.parametrize("storey", [1.0, 32.0, 320.0])
def test_storeys_that_nobody_builds_are_refused(storey: float) -> None:
    with pytest.raises(ValueError, match="storey_height_m"):
        FootprintsInput.model_validate({"path": "b.gpkg", "storey_height_m": storey})


def test_losses_beyond_what_systems_have_are_warned_of() -> None:
    assert loss_notices(Losses()) == ()
    (slip,) = loss_notices(Losses(soiling=0.2))
    assert slip.code == "losses_unusual" and slip.examples == ("soiling 0.2",)
    (none,) = loss_notices(Losses(**dict.fromkeys(Losses.model_fields, 0.0)))
    assert "0.0%" in none.text.en
    (all_of_them,) = loss_notices(Losses(soiling=0.6, mismatch=0.5, wiring=0.5, availability=0.5))
    assert all_of_them.count == 4


# --- months ----------------------------------------------------------------------------------------------------------


def test_the_order_of_months_is_told_by_the_sun() -> None:
    clear = np.array([95.0, 115.0, 165.0, 195.0, 222.0, 226.0, 228.0, 208.0, 170.0, 135.0, 100.0, 86.0])
    months = np.array(NORTH)
    assert likely_order(months, clear) is None
    text = likely_order(months[AS_TEXT], clear)
    assert text is not None and "1, 10, 11, 12, 2" in text.en
    turned = likely_order(np.roll(months, -6), clear)
    assert turned is not None and "month 7" in turned.en
    assert likely_order(np.full(12, 100.0), clear) is None


@pytest.mark.parametrize(
    ("latitude", "months"),
    [
        (25.0, [130, 140, 175, 190, 175, 140, 135, 140, 120, 110, 115, 115]),  # Kunming: brightest before the rains
        (21.9, [140, 150, 175, 185, 175, 150, 140, 145, 145, 130, 125, 130]),
        (28.6, [105, 120, 165, 185, 200, 180, 150, 140, 145, 140, 110, 100]),  # Delhi
        (29.6, [30, 45, 75, 100, 115, 110, 135, 140, 85, 50, 40, 28]),  # Chongqing
        (-33.9, [195, 160, 145, 110, 85, 70, 80, 105, 130, 165, 180, 200]),  # Sydney
    ],
)
def test_a_monsoon_is_no_other_order(latitude: float, months: list[int]) -> None:
    clear = np.asarray(clear_sky_bound(latitude, 300.0))
    assert likely_order(np.asarray(months, dtype=float), clear) is None


def monthly(path: Path, values: list[float], empty: int | None = None) -> Path:
    cells = [np.full((20, 20), -9.0 if k == empty else value) for k, value in enumerate(values)]
    return write_raster(path, cells, LON - 0.5, LAT + 0.5, 0.05)


def of_months(folder: Path, values: list[float], empty: int | None = None) -> dict[str, Any]:
    return {"ghi": {"path": monthly(folder / "m.tif", values, empty), "unit": "kWh/m2/month", "period": "monthly"}}


def test_months_that_cannot_be_are_in_another_order_where_the_year_can_be(tmp_path: Path) -> None:
    path = write(buildings(), tmp_path / "b.gpkg")
    read_sources(config(tmp_path, path, irradiance=of_months(tmp_path, NORTH)))
    listed = [NORTH[k] for k in AS_TEXT]
    with pytest.raises(InputError, match="months of the irradiance raster are in another order") as caught:
        read_sources(config(tmp_path, path, irradiance=of_months(tmp_path, listed)))
    assert "1, 10, 11, 12, 2" in caught.value.render("en") and "unit" not in str(caught.value.details["mend"])


def test_a_month_without_a_value_is_named(tmp_path: Path) -> None:
    path = write(buildings(), tmp_path / "b.gpkg")
    with pytest.raises(InputError, match="no value at any roof") as caught:
        read_sources(config(tmp_path, path, irradiance=of_months(tmp_path, NORTH, empty=5)))
    assert "month 6 has no value at 12 roofs" in caught.value.render("en") and "mend" in caught.value.render("en")


def test_direct_and_diffuse_light_exchanged_are_named() -> None:
    weather = rooftop.synthetic_weather(31.2, 121.5, 5.0, NORTH)
    assert rooftop.irradiation(weather, FREE, surface_tilt=20.0)["poa_global"].sum() > 1000.0
    swapped = weather.data.rename(columns={"dni": "dhi", "dhi": "dni"})
    with pytest.raises(rooftop.ArgumentError, match="cannot be used") as caught:
        rooftop.irradiation(dataclasses.replace(weather, data=swapped), FREE, surface_tilt=20.0)
    assert "exchange the columns dni and dhi" in caught.value.render("en")
    overcast = dataclasses.replace(weather, data=weather.data.assign(dni=0.0, dhi=weather.data["ghi"]))
    assert rooftop.irradiation(overcast, FREE, surface_tilt=20.0)["poa_global"].sum() > 500.0


# --- districts -------------------------------------------------------------------------------------------------------


def districts(path: Path, rows: list[tuple[str | None, shapely.Geometry]]) -> Path:
    table = gpd.GeoDataFrame({"code": [code for code, _ in rows]}, geometry=[g for _, g in rows], crs="EPSG:4326")
    return write(table, path)


def box(x0: float, x1: float) -> shapely.Geometry:
    return degrees([shapely.box(X0 + x0, Y0 - 100.0, X0 + x1, Y0 + 400.0)])[0]


def with_districts(folder: Path, rows: list[tuple[str | None, shapely.Geometry]]) -> dict[str, Any]:
    return {"districts": {"path": districts(folder / "d.gpkg", rows), "id_field": "code"}}


def test_a_district_without_a_code_is_named_before_its_datum_is_doubted(tmp_path: Path) -> None:
    path = write(buildings(), tmp_path / "b.gpkg")
    far = with_districts(tmp_path, [(None, box(-100.0, 400.0)), ("320702", box(400.0, 1500.0))])
    with pytest.raises(InputError, match="no building lies in any district") as caught:
        read_sources(config(tmp_path, path, **far))
    assert "have no code" in caught.value.render("en") and "12 of 12" in caught.value.render("en")
    assert "datum" not in str(caught.value.details["mend"])


def test_buildings_in_no_district_are_counted_while_reading(tmp_path: Path) -> None:
    path = write(buildings(), tmp_path / "b.gpkg")
    half = with_districts(tmp_path, [("320702", box(-100.0, 120.0)), (None, box(120.0, 400.0))])
    said = {n.code: n for n in read_sources(config(tmp_path, path, **half)).notices}
    assert said["outside_district"].count == 6
    assert "6 of 12 buildings (50% of the footprint area)" in said["outside_district"].text.en
    assert "have no code" in said["outside_district"].text.en
    assert said["unit_without_code"].count == 1
    assert said["outside_district"].examples == ("T0002", "T0003", "T0006", "T0007", "T0010")


def test_the_count_is_that_of_the_reasons_and_names_no_withheld_building(tmp_path: Path) -> None:
    half = with_districts(tmp_path, [("320702", box(-100.0, 100.0))])  # 30 m buildings from 70 m on just touch it
    table = buildings().assign(use=["military" if k == 2 else "office" for k in range(12)])
    result = run(tmp_path, table, **half)
    outside = [i for i, r in zip(result.tables.roofs["building_id"], result.tables.roofs["reasons"], strict=True)
               if "outside_district" in r]  # fmt: skip
    said = next(n for n in result.record.notices if n.code == "outside_district")
    assert said.count == len(outside) == 5 and set(said.examples) == set(outside) and "T0002" not in outside


def test_few_buildings_in_no_district_raise_no_doubt_about_datums(tmp_path: Path) -> None:
    table = buildings(12)
    alone = degrees([shapely.box(X0 + 300.0, Y0, X0 + 320.0, Y0 + 20.0)])[0]
    more = gpd.GeoDataFrame({"bid": ["far"], "h": [6.0], "use": ["office"]}, geometry=[alone], crs=table.crs)
    path = write(gpd.GeoDataFrame(pd.concat([table, more], ignore_index=True), crs=table.crs), tmp_path / "b.gpkg")
    most = with_districts(tmp_path, [("320702", box(-100.0, 280.0)), ("320703", box(900.0, 2000.0))])
    said = {n.code: n for n in read_sources(config(tmp_path, path, **most)).notices}["outside_district"]
    assert said.count == 1 and "datum" not in said.text.en and "gcj02" not in said.text.en


def test_of_overlapping_districts_the_order_of_rows_decides_nothing(tmp_path: Path) -> None:
    rows: list[tuple[str | None, shapely.Geometry]] = [("320703", box(-100.0, 400.0)), ("320702", box(-90.0, 390.0))]
    table = buildings().assign(building_id=lambda t: t["bid"]).to_crs(METRIC)
    found: list[list[str]] = []
    for order in (rows, rows[::-1]):
        units = read_units(
            BoundaryInput(path=districts(tmp_path / f"d{len(found)}.gpkg", order), id_field="code"),
            "district",
            table.crs,
        )
        found.append(assign(table, [units])["unit_id"].astype(str).tolist())
    assert found[0] == found[1] == ["320702"] * 12


# --- deliveries ------------------------------------------------------------------------------------------------------


def test_a_delivery_twice_digitised_anew_is_the_town_once(tmp_path: Path) -> None:
    once = buildings().assign(pv=[50.0 if k == 2 else 0.0 for k in range(12)])
    moved = once.set_geometry(once.geometry.translate(2e-7, 2e-7))
    fields = {"id": "bid", "height_m": "h", "building_use": "use", "existing_pv_kwp": "pv"}
    clean = run(tmp_path, once, "once.gpkg", fields=fields)
    twice = run(tmp_path, gpd.GeoDataFrame(pd.concat([once, moved], ignore_index=True), crs=once.crs), fields=fields)
    assert codes(twice)["duplicate_geometry"] == 12
    roofs = twice.tables.roofs.set_index("building_id")
    alone = clean.tables.roofs.set_index("building_id")
    standing = roofs.loc[roofs["status"] != "excluded"].reindex(alone.index)
    np.testing.assert_allclose(standing["capacity_kwp"], alone["capacity_kwp"], rtol=1e-3)
    assert twice.tables.districts["existing_pv_kwp"].sum() == clean.tables.districts["existing_pv_kwp"].sum() == 50.0


def test_row_houses_and_storeys_set_back_stay_what_they_are(tmp_path: Path) -> None:
    table = buildings(4)
    smaller = table.set_geometry(degrees([shapely.buffer(rectangle(k), -2.0, join_style="mitre") for k in range(4)]))
    smaller = smaller.set_crs(table.crs, allow_override=True).assign(h=15.0, bid=table["bid"] + "t")
    both = gpd.GeoDataFrame(pd.concat([table, smaller], ignore_index=True), crs=table.crs)
    assert "duplicate_geometry" not in codes(run(tmp_path, both))


# --- models ----------------------------------------------------------------------------------------------------------


def ready(folder: Path, *, terrain: bool = True, dsm_by: float = 1.0, **options: object) -> dict[str, int]:
    """Prepare the town with models; counts of notices."""
    table = buildings().assign(h=HEIGHTS)

    def top(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        values = surface(x, y, HEIGHTS) * dsm_by
        if options.get("zeros"):
            values = np.where(x < 120.0, 0.0, values)
        if options.get("holes"):
            values = np.where(np.random.default_rng(0).random(x.shape) < 0.03, -9999.0, values)
        return values

    inputs: dict[str, Any] = {"dsm": {"path": elevation(folder / "dsm.tif", top)}}
    if terrain:
        ground = elevation(folder / "dtm.tif", lambda x, y: np.full(x.shape, 50.0 * dsm_by))
        inputs["dtm"] = {"path": ground}
    settings = config(folder, write(table, folder / "b.gpkg"), **inputs)
    sources = read_sources(settings)
    found = prepare(settings, sources, np.ones(12, dtype=bool), None)
    return {notice.code: notice.count for notice in found.notices}


def test_models_that_fit_say_nothing(tmp_path: Path) -> None:
    assert not {"heights_disagree", "dsm_holes", "not_in_dsm"} & set(ready(tmp_path))


@pytest.mark.parametrize("terrain", [True, False])
def test_models_in_centimetres_are_refused(terrain: bool, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not fit each other") as caught:
        ready(tmp_path, terrain=terrain, dsm_by=100.0)
    assert "the models seem to be in centimetres" in caught.value.render("en")


@pytest.mark.parametrize("terrain", [True, False])
def test_models_in_feet_are_named_beside_stated_heights(terrain: bool, tmp_path: Path) -> None:
    assert ready(tmp_path, terrain=terrain, dsm_by=3.2808)["heights_disagree"] == 12


def test_zeros_for_nodata_are_no_ground(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds zeros where it has no value") as caught:
        ready(tmp_path, terrain=False, zeros=True)
    assert "under 6 buildings" in caught.value.render("en")


def test_holes_of_a_surface_model_are_counted(tmp_path: Path) -> None:
    assert ready(tmp_path, holes=True)["dsm_holes"] == 12


def test_rows_may_run_south_to_north(tmp_path: Path) -> None:
    path = elevation(tmp_path / "north.tif", lambda x, y: surface(x, y, HEIGHTS))
    turned = tmp_path / "south.tif"
    with rasterio.open(path) as source:
        cells, west, south = source.read(1), source.bounds.left, source.bounds.bottom
    upwards = rasterio.Affine(1.0, 0.0, west, 0.0, 1.0, south)
    write_raster(turned, cells[::-1], west, south, 1.0, transform=upwards, crs=METRIC, nodata=-9999.0)
    found = []
    for each in (path, turned):
        sources = read_sources(config(tmp_path, write(buildings(), tmp_path / "b.gpkg"), dsm={"path": each}))
        assert sources.dsm is not None
        found.append(sources.dsm.window(X0, Y0 + 60.0, 1.0, 50, 60))
    np.testing.assert_array_equal(found[0], found[1])


def test_a_swap_is_claimed_only_where_it_helps() -> None:
    with pytest.raises(InputError, match="the northing stands first"):
        check_coordinates(np.array([3.83e6, 4.4e5, 3.84e6, 4.5e5]), CRS(METRIC), "f")
    delft = np.array([85_000.0, 447_413.0, 85_072.0, 447_641.0])  # in its own grid: nowhere near, either way round
    check_coordinates(delft, CRS(METRIC), "f")
    assert not in_authority_order(delft, CRS(METRIC))


# --- clusters --------------------------------------------------------------------------------------------------------


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")

    def nobody(address: str) -> None:
        raise OSError(f"Timed out trying to connect to {address} after 30 s")

    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(InputError, match="scheduler cannot be reached") as caught:
        run_tiles(object(), object(), [Tile(0, 0)], scheduler="tcp://127.0.0.1:1")  # type: ignore[arg-type]
    assert "tcp://127.0.0.1:1" in caught.value.render("en")
