"""Rules by latitude, from -84 to 84 degrees: room between rows, where racks look, which planes stay empty."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

import rooftop
import rooftop.job.prepare
from mirrored_town import Town, computed, monthly_ghi, write_town
from rooftop.config import FlatSystem
from rooftop.core.errors import InputError
from rooftop.core.notices import Notice
from rooftop.core.roof_rules import load_roof_rules
from rooftop.job.prepare import Prepared
from rooftop.job.record import read_record
from rooftop.job.sources import read_sources
from rooftop.outputs.bundle import campaign_of, report_data
from rooftop.scene.array import row_pitch_m, shadow_ratio
from rooftop.scene.design_sun import OBLIQUITY_DEG, design_sun
from rooftop.scene.equator import Sides, equatorward_deg, poleward_min_tilt_deg, rack_azimuth_deg
from rooftop.scene.packing import flat_options, pack
from rooftop.scene.rows import level_rows
from rooftop.solar.energy import ModulePlane
from rooftop.solar.pvsystem import load_module

RULES = load_roof_rules()
LATITUDES = [*range(-84, 85, 4), -53.61, -23.45, -0.1, 0.1, 23.45, 34.6, 53.5, 53.56, 58.5, 60.17, 66.56]
CHINA_ENDS_DEG = 53.56


def closed_ratio(latitude_deg: float) -> float:
    """Return the shadow across rows at 9:00 in midwinter by GB 50797's closed form, exact constants."""
    phi, delta, hour = (math.radians(x) for x in (abs(latitude_deg), -OBLIQUITY_DEG, 45.0))
    up = math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * math.cos(hour)
    return (math.sin(phi) * math.cos(delta) * math.cos(hour) - math.cos(phi) * math.sin(delta)) / up


# Room between rows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latitude", LATITUDES)
def test_rows_have_room_everywhere_and_the_same_on_both_sides(latitude: float) -> None:
    ratio = shadow_ratio(latitude)
    assert 0.6 < ratio < 12.0
    assert ratio == shadow_ratio(-latitude)
    for azimuth in (0.0, 90.0, 143.0, 180.0, 250.0) if latitude else ():
        mirrored = shadow_ratio(-latitude, (180.0 - azimuth) % 360.0)
        assert mirrored == pytest.approx(shadow_ratio(latitude, azimuth), rel=1e-9, abs=1e-12), azimuth
    if abs(latitude) <= CHINA_ENDS_DEG:
        assert ratio == pytest.approx(closed_ratio(latitude), rel=1e-12)


@pytest.mark.parametrize("azimuth", [None, 0.0, 140.0, 180.0, 300.0])
def test_room_changes_with_latitude_without_a_jump(azimuth: float | None) -> None:
    """Also across the equator, where rows to the north and to the south change places."""
    latitudes = np.arange(-84.0, 84.0001, 0.05)
    pitch = np.array([row_pitch_m(1.0, 10.0, shadow_ratio(float(latitude), azimuth)) for latitude in latitudes])
    assert np.abs(np.diff(pitch) / pitch[1:]).max() < 0.01


@pytest.mark.parametrize("latitude", [-84.0, -45.0, -20.0, -1.0, 0.0, 1.0, 20.0, 45.0, 60.17, 84.0])
@pytest.mark.parametrize("azimuth", [0.0, 75.0, 180.0, 225.0])
def test_no_row_is_shaded_on_the_days_and_hours_that_count(latitude: float, azimuth: float) -> None:
    """By hand: the shadow of a stick, on every day that counts, never falls further across the rows than their room."""
    sun, facing = design_sun(latitude), math.radians(azimuth)
    phi, longest = math.radians(latitude), 0.0
    winter = sun.winter_declination_deg if latitude >= 0.0 else -sun.winter_declination_deg
    for declination in np.linspace(winter, math.copysign(OBLIQUITY_DEG, -winter), 60):
        delta = math.radians(declination)
        for hour in np.linspace(sun.first_hour, sun.last_hour, 61):
            turn = math.radians(15.0 * (hour - 12.0))
            up = math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * math.cos(turn)
            north = math.cos(phi) * math.sin(delta) - math.sin(phi) * math.cos(delta) * math.cos(turn)
            east = -math.cos(delta) * math.sin(turn)
            longest = max(longest, (north * math.cos(facing) + east * math.sin(facing)) / up)
    assert shadow_ratio(latitude, azimuth) == pytest.approx(longest, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("latitude", [-84.0, -60.17, -54.0, 54.0, 58.5, 60.17, 69.65, 78.2, 84.0])
def test_beyond_the_rule_of_china_the_sun_that_counts_is_high_enough(latitude: float) -> None:
    sun, least = design_sun(latitude), RULES.row_pitch.least_sun_deg
    assert not sun.all_year
    assert sun.elevation_deg == pytest.approx(least, abs=1e-9)
    first, last = sun.days()
    for day, inside in ((first, True), (last, True), (first, False), (last, False)):
        step = 0 if inside else (-1 if day == first else 1)
        assert (_elevation_at_nine(latitude, day + datetime.timedelta(days=step)) >= least - 0.02) == inside, day
    assert first.month in ((12, 1, 2, 3) if latitude > 0.0 else (6, 7, 8, 9))


def _elevation_at_nine(latitude: float, day: datetime.date) -> float:
    number = day.timetuple().tm_yday
    delta = math.radians(OBLIQUITY_DEG * math.sin(math.radians(360.0 / 365.0 * (284 + number))))
    phi = math.radians(latitude)
    up = math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * math.cos(math.radians(45.0))
    return math.degrees(math.asin(up))


@pytest.mark.parametrize("latitude", [-53.5, -33.95, -10.0, 0.0, 10.0, 34.6, 53.5])
def test_up_to_the_north_of_china_every_day_counts(latitude: float) -> None:
    sun = design_sun(latitude)
    assert sun.all_year and sun.winter_declination_deg == -OBLIQUITY_DEG
    assert sun.elevation_deg > RULES.row_pitch.least_sun_deg


@pytest.mark.parametrize("rows", ["azimuth", "building", "best"])
@pytest.mark.parametrize("latitude", [-84.0, -66.6, -34.6, -1.0, 0.0, 1.0, 34.6, 60.17, 66.6, 84.0])
def test_a_roof_is_filled_at_every_latitude(latitude: float, rows: str) -> None:
    module = load_module()
    zone = shapely.affinity.rotate(shapely.box(0, 0, 50, 24), 20.0 if latitude >= 0.0 else -20.0)
    options = flat_options(FlatSystem.model_validate({"rows": rows}), RULES, latitude)

    def some_yield(plane: ModulePlane) -> float:
        off = (plane.surface_azimuth - equatorward_deg(latitude) + 180.0) % 360.0 - 180.0
        return 1000.0 + 5.0 * plane.surface_tilt - 0.2 * abs(off)

    found = pack(zone, 0.0, 180.0, module, options, latitude_deg=latitude, specific_yield=some_yield)
    off = (found.azimuth_deg - equatorward_deg(latitude) + 180.0) % 360.0 - 180.0
    assert abs(off) <= 45.0 and found.tilt_deg >= 10.0 and found.count > 90
    assert found.pitch_m >= row_pitch_m(found.slope_length_m, found.tilt_deg, shadow_ratio(latitude, found.azimuth_deg))


def test_pairs_to_the_east_and_west_stand_alike_everywhere() -> None:
    module, found = load_module(), set()
    for latitude in LATITUDES:
        options = flat_options(FlatSystem(mounting="east_west"), RULES, latitude)
        found.add(tuple((d.azimuth_deg, d.pitch_m) for d in level_rows(module, options, 90.0, latitude)))
    assert len(found) == 1


# Where racks look, and planes that stay empty --------------------------------------------------------------------


@pytest.mark.parametrize("latitude", LATITUDES)
def test_racks_look_to_the_equator_unless_told_otherwise(latitude: float) -> None:
    assert rack_azimuth_deg(FlatSystem(), latitude) == (180.0 if latitude >= 0.0 else 0.0)
    for azimuth in (0.0, 90.0, 180.0, 200.5):
        assert rack_azimuth_deg(FlatSystem(azimuth_deg=azimuth), latitude) == azimuth


def test_planes_to_the_pole_are_let_in_towards_the_equator() -> None:
    latitudes = np.arange(0.0, 84.01, 0.25)
    limit = poleward_min_tilt_deg(latitudes, RULES.poleward)
    assert (np.diff(limit) <= 1e-12).all()
    assert limit[0] == pytest.approx(90.0)
    assert (limit[latitudes >= 20.0] == 12.0).all()
    assert np.abs(np.diff(limit[latitudes >= 5.0])).max() < 2.5
    assert poleward_min_tilt_deg(-latitudes, RULES.poleward) == pytest.approx(limit)
    tiles = float(np.interp(-25.0, -limit, latitudes))
    assert 9.0 < tiles < 10.0  # a usual tiled roof


@pytest.mark.parametrize(("latitude", "tilt"), [(20.0, 12.0), (10.0, 23.7), (5.0, 41.5), (-5.0, 41.5)])
def test_the_limit_allows_the_same_loss_at_each_latitude(latitude: float, tilt: float) -> None:
    limit = float(poleward_min_tilt_deg(np.array(latitude), RULES.poleward))
    assert limit == pytest.approx(tilt, abs=0.1)
    weather = rooftop.synthetic_weather(latitude, 110.0, 10.0, None, np.full(12, 26.0), annual_ghi_kwh_m2=1750.0)
    sunny = equatorward_deg(latitude)
    towards, away = (rooftop.pv_energy(weather, None, limit, azimuth).sum() for azimuth in (sunny, 180.0 - sunny))
    assert 1.0 - away / towards == pytest.approx(0.10, abs=0.015)


@pytest.mark.parametrize(
    ("latitudes", "means", "of_roof"),
    [
        ([30.0, 31.0], (30.5,), [0, 0]),
        ([-30.0, -31.0], (-30.5,), [0, 0]),
        ([0.0, 0.0], (0.0,), [0, 0]),
        ([0.0, -0.2, 0.2, -0.4], (0.1, -0.3), [0, 1, 0, 1]),
        ([-30.0, math.nan, -31.0], (-30.5,), [0, 0, 0]),
        ([-0.1, math.nan, 0.1], (0.1, -0.1), [1, 0, 0]),
    ],
)
def test_sides_of_the_equator(latitudes: list[float], means: tuple[float, ...], of_roof: list[int]) -> None:
    found = Sides.by_latitude(np.array(latitudes), np.ones(len(latitudes), dtype=bool))
    assert found.latitude_deg == pytest.approx(means) and found.of_roof.tolist() == of_roof
    assert found.by_roof == pytest.approx([means[k] for k in of_roof])


def test_excluded_rows_do_not_open_a_side() -> None:
    found = Sides.by_latitude(np.array([-30.0, 0.0, -31.0]), np.array([True, False, True]))
    assert len(found.latitude_deg) == 1 and found.latitude_deg[0] < 0.0


# Whole runs ------------------------------------------------------------------------------------------------------


def prepared_and_planes(town: Town, **flat: object) -> tuple[Prepared, pd.DataFrame]:
    config = town.config(**flat)
    prepared, tables = computed(config, read_sources(config))
    return prepared, pd.DataFrame(tables.planes)


def said(notices: Sequence[Notice], code: str) -> str:
    return " ".join(notice.text.en for notice in notices if notice.code == code)


def test_south_of_the_equator_it_is_as_in_the_mirrored_town(tmp_path: Path) -> None:
    """Under real suns: the southern summer's is 7 % stronger, and each town has a temperature and turbidity of its own.

    With the same GHI half a year later that is 0.1 % of a year; a rule of the wrong side is 5 %.
    """
    found = {sign: prepared_and_planes(write_town(tmp_path / f"{sign}", sign * 33.95)) for sign in (1, -1)}
    counts, yields = [], []
    for sign, (prepared, planes) in found.items():
        racks = planes[planes["mounting"] == "rack"]
        assert set(racks["surface_azimuth_deg"]) == {180.0 if sign > 0 else 0.0}
        counts.append(int(planes["module_count"].sum()))
        yields.append(planes["annual_kwh"].sum() / planes["capacity_kwp"].sum())
        codes = {notice.code for notice in prepared.notices}
        assert ("southern_hemisphere" in codes) == (sign < 0)
        assert not {"rows_later_sun", "both_hemispheres", "racks_face_pole"} & codes
    assert counts[0] == counts[1] > 800
    assert yields[1] == pytest.approx(yields[0], rel=0.01)
    assert "midwinter is in June" in said(found[-1][0].notices, "southern_hemisphere")


def test_racks_to_the_pole_are_built_and_their_loss_is_said(tmp_path: Path) -> None:
    town = write_town(tmp_path, -33.95)
    stated, auto = (prepared_and_planes(town, tilt_deg=20, **flat) for flat in ({"azimuth_deg": 180}, {}))
    wing = [planes.set_index("plane_id").loc["wing-1"] for _, planes in (stated, auto)]  # hardly shaded
    assert [plane["surface_azimuth_deg"] for plane in wing] == [180.0, 0.0]
    text = said(stated[0].notices, "racks_face_pole")
    assert "azimuth 180°, away from the equator at 33.95° S" in text and "than at 0°" in text
    share = float(text.split("they yield ")[1].split("%")[0])
    per_kwp = [plane["annual_kwh"] / plane["capacity_kwp"] for plane in wing]
    assert share == pytest.approx(100.0 * (1.0 - per_kwp[0] / per_kwp[1]), abs=2.0)
    assert share > 15.0 and not said(auto[0].notices, "racks_face_pole")


@pytest.mark.parametrize(("latitude", "azimuth"), [(1.5, 0.0), (-1.5, 180.0), (-34.6, 90.0)])
def test_racks_that_lose_little_or_look_sideways_are_not_warned_of(
    tmp_path: Path, latitude: float, azimuth: float
) -> None:
    config = write_town(tmp_path, latitude).config(azimuth_deg=azimuth, tilt_deg=10)
    sources = read_sources(config)
    found = rooftop.job.prepare.prepare(config, sources, np.ones(len(sources.buildings), dtype=bool), None)
    assert not said(found.notices, "racks_face_pole")
    assert set(found.layout.planes.query("mounting == 'rack'")["surface_azimuth_deg"]) == {azimuth}


def test_far_north_a_run_says_which_sun_its_rows_are_spaced_for(tmp_path: Path) -> None:
    town = write_town(tmp_path, 60.17)
    found = rooftop.run(town.config(), out=tmp_path / "out", lang="en", workers=1)
    racks = pd.DataFrame(found.tables.planes).query("mounting == 'rack'")
    assert racks["module_count"].sum() > 150
    text = said(found.record.notices, "rows_later_sun")
    assert "60.17° N" in text and "9:00–15:00 true solar time from 30 January to 10 November" in text
    assert "11.4 m of room" in text
    (side,) = read_record(tmp_path / "out" / "run.json").sides
    assert side == found.record.sides[0] and side.shadow_ratio == pytest.approx(11.43, abs=0.005)
    data = report_data(found.tables, campaign_of(found.tables, None), config=found.config, sides=found.record.sides)
    rows = {row.name.en: row for row in data.assumptions}
    assert "30 January to 10 November; 11.43 m" in rows["room between rows"].value.en
    assert "11 月 10 日 9:00–15:00（真太阳时）" in rows["room between rows"].value.zh
    assert "53.6°" in rows["room between rows"].source.en
    assert "azimuth 180° (towards the equator)" in rows["flat roofs"].value.en
    assert rows["planes left empty"].value.en == "within 67.5° of north and 12° or steeper"
    assert "11.43 m" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("latitude", [-70.0, 78.2])
def test_a_month_without_sun_is_no_gap(tmp_path: Path, latitude: float) -> None:
    """Rasters of the polar night hold zeros, which are true there and nowhere else."""
    monthly = monthly_ghi(latitude)
    assert (monthly == 0.0).any()
    config = write_town(tmp_path, latitude).config(tilt_deg=15)
    sources = read_sources(config)
    assert not said(sources.notices, "undeclared_nodata")
    assert sources.irradiance.ghi_annual_kwh_m2 == pytest.approx(np.full(9, monthly.sum()), rel=1e-3)
    _, tables = computed(config, sources)
    roofs = pd.DataFrame(tables.roofs)
    assert (roofs["capacity_kwp"] > 0).all()
    by_month = np.array([roofs[f"kwh_{m:02d}"].sum() for m in range(1, 13)])
    assert (by_month[monthly == 0.0] == 0.0).all() and (by_month[monthly > 30.0] > 0.0).all()


def test_a_month_of_zeros_under_the_sun_is_a_gap(tmp_path: Path) -> None:
    config = write_town(tmp_path, 34.6).config()
    with rasterio.open(tmp_path / "ghi.tif", "r+") as raster:
        raster.write(np.zeros((8, 8), dtype="float32"), 12)
    with pytest.raises(InputError, match="no value"):
        read_sources(config)


@pytest.mark.parametrize("layout", ["packed", "density"])
def test_data_on_both_sides_take_the_rules_of_their_own(tmp_path: Path, layout: str) -> None:
    prepared, planes = prepared_and_planes(write_town(tmp_path, 0.0), layout=layout, tilt_deg=15)
    lat = prepared.sources.buildings.set_index("building_id")["lat"]
    north = (planes["building_id"].map(lat) >= 0.0).to_numpy()
    racks = (planes["mounting"] == "rack").to_numpy()
    assert north[racks].any() and not north[racks].all()
    assert (planes["surface_azimuth_deg"][racks] == np.where(north[racks], 180.0, 0.0)).all()
    assert (planes["module_count"] > 0).all()  # here no side of a roof stays empty
    assert "runs through the data" in said(prepared.notices, "both_hemispheres")
    assert [side.azimuth_deg for side in prepared.siting.rules] == [180.0, 0.0]
