"""What numpy makes a right argument of is one; what is empty stays empty; garbage is refused, or does no harm."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rooftop
from rooftop.core.errors import ArgumentError, ConfigError, InputError
from rooftop.solar.hourly import HourlyTables, SelfUse
from rooftop.weather import Weather
from wrong_arguments import NOT_USED, PUBLIC, SHAPE, N, Public, horizon, raster, sky, tables
from wrong_years import of, weather

DSM = np.round(np.random.default_rng(3).uniform(0.0, 12.0, SHAPE))


def read_only(values: np.ndarray) -> np.ndarray:
    """The same, not to be written."""
    out = values.copy()
    out.flags.writeable = False
    return out


class Wrapped:
    """Something that numpy can read, as xarray's arrays are."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __repr__(self) -> str:
        return f"Wrapped({self.values})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.values if dtype is None else self.values.astype(dtype)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(a.tolist()),
    "float32": lambda a: a.astype(np.float32),
    "float16": lambda a: a.astype(np.float16),
    "int16": lambda a: a.astype(np.int16),
    "uint8": lambda a: a.astype(np.uint8),
    "big-endian": lambda a: a.astype(">f8"),
    "column by column": np.asfortranarray,
    "every other": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards twice": lambda a: a[..., ::-1].copy()[..., ::-1],
    "read only": read_only,
    "nothing masked": np.ma.asarray,
    "pandas": lambda a: pd.DataFrame(a) if a.ndim == 2 else pd.Series(a, index=range(5, 5 + a.size)),
    "pandas, nullable": lambda a: pd.DataFrame(a).astype("Float64") if a.ndim == 2 else pd.Series(a).astype("Float64"),
    "wrapped": Wrapped,
}
ARRAYS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "horizons, dsm": (lambda a: rooftop.horizons(a, 1.0, [1, 2], [3, 4], n_azimuth=N), DSM),
    "sky_view, horizon": (lambda a: rooftop.sky_view(a), np.round(horizon())),
    "sky_view, surface_tilt": (lambda a: rooftop.sky_view(horizon(), a), np.array([10.0, 30.0])),
    "sky_view, surface_azimuth": (lambda a: rooftop.sky_view(horizon(), 20.0, a), np.array([90.0, 200.0])),
    "irradiation, horizon": (lambda a: rooftop.irradiation(sky(), a), np.round(horizon())),
    "irradiation_raster, dsm": (lambda a: rooftop.irradiation_raster(sky(), **{**raster(), "dsm": a}), DSM),
    "irradiation_raster, surface_tilt": (
        lambda a: rooftop.irradiation_raster(sky(), **raster(), surface_tilt=a),
        np.where(DSM > 5.0, 10.0, 20.0),
    ),
    "pv_energy, horizon": (lambda a: rooftop.pv_energy(sky(), a), np.round(horizon()[1])),
    "hourly_series, horizon": (lambda a: rooftop.hourly_series(tables(), a).ac_w_per_kwp, np.round(horizon())),
    "hourly_series, factor": (
        lambda a: rooftop.hourly_series(tables(), horizon(), factor=a).ac_w_per_kwp,
        np.ones((2, 12)),
    ),
    "self_use, ac_kwh": (lambda a: rooftop.self_use(a, np.ones(4)).used_kwh, np.arange(8.0).reshape(2, 4)),
    "self_use, load_kwh": (lambda a: rooftop.self_use(np.ones((2, 4)), a).used_kwh, np.arange(4.0)),
    "synthetic_weather, totals": (
        lambda a: rooftop.synthetic_weather(32.0, 118.8, 10.0, a, np.full(12, 10.0)).data,
        np.full(12, 100.0),
    ),
    "synthetic_weather, temperature": (
        lambda a: rooftop.synthetic_weather(32.0, 118.8, 10.0, np.full(12, 100.0), a).data,
        np.arange(12.0),
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", ARRAYS)
def test_forms_of_an_array_give_the_same(call: str, form: str) -> None:
    use, plain = ARRAYS[call]
    expected, found = use(plain), use(FORMS[form](plain))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize(
    "number", [20, np.float32(20.0), np.int64(20), np.array(20.0), Wrapped(20.0), np.uint8(20)], ids=repr
)
def test_forms_of_a_number_give_the_same(number: Any) -> None:
    assert rooftop.pv_energy(sky(), None, number, 180).tolist() == rooftop.pv_energy(sky(), None, 20.0, 180.0).tolist()
    assert rooftop.ModulePlane(number, 180.0) == rooftop.ModulePlane(20.0, 180.0)
    assert hash(rooftop.ModulePlane(number, 180.0)) == hash(rooftop.ModulePlane(20.0, 180.0))
    one = rooftop.irradiation_raster(sky(), **raster(), surface_tilt=number)
    np.testing.assert_array_equal(one, rooftop.irradiation_raster(sky(), **raster(), surface_tilt=20.0))


@pytest.mark.parametrize(
    "rows", [np.array([1, 2], np.uint8), [1, 2], pd.Series([1, 2]), pd.array([1, 2]), np.array([1, 2], ">i4")]
)
def test_forms_of_cells_give_the_same(rows: Any) -> None:
    found = rooftop.horizons(DSM, 1.0, rows, rows, n_azimuth=N)
    np.testing.assert_array_equal(found, rooftop.horizons(DSM, 1.0, np.array([1, 2]), np.array([1, 2]), n_azimuth=N))


def test_masked_heights_are_unknown() -> None:
    hole = np.ma.masked_greater(DSM, 8.0)
    found = rooftop.horizons(hole, 1.0, [2, 3], [2, 3], n_azimuth=N)
    np.testing.assert_array_equal(
        found, rooftop.horizons(np.where(DSM > 8.0, np.nan, DSM), 1.0, [2, 3], [2, 3], n_azimuth=N)
    )


def test_what_is_unknown_stays_unknown() -> None:
    nowhere = np.full(SHAPE, np.nan)
    assert np.isnan(rooftop.horizons(nowhere, 1.0, [1], [1], n_azimuth=N)).all()
    assert np.isnan(rooftop.irradiation_raster(sky(), **{**raster(), "dsm": nowhere})).all()
    assert np.isnan(rooftop.sky_view(np.where(np.arange(N) == 2, np.nan, horizon()))).all()


def test_nothing_asked_gives_nothing() -> None:
    none = np.zeros((0, N))
    assert rooftop.horizons(DSM, 1.0, [], [], n_azimuth=N).shape == (0, N)
    assert rooftop.sky_view(none).shape == (0,)
    assert rooftop.sky_view(none, [], []).shape == (0,)
    assert len(rooftop.irradiation(sky(), none)) == 0
    assert rooftop.hourly_series(tables(), none).ac_w_per_kwp.shape == (0, 8760)
    assert rooftop.hourly_series(tables(), none, group=[]).ac_w_per_kwp.shape == (0, 8760)
    assert np.isnan(rooftop.hourly_series(tables(), none, group=[], n_group=2).ac_w_per_kwp).all()
    assert rooftop.hourly_yield(weather(), none, rooftop.ModulePlane(20.0, 180.0)).monthly_kwh_kwp().shape == (0, 12)
    assert rooftop.self_use(np.zeros((0, 4)), np.ones(4)).used_kwh.shape == (0,)
    mask = np.zeros(SHAPE, dtype=bool)
    for tilt in (20.0, np.full(SHAPE, 20.0)):
        given = {**raster(), "mask": mask, "surface_tilt": tilt}
        assert np.isnan(rooftop.irradiation_raster(sky(), **given)).all()
        assert rooftop.monthly_irradiation(sky(), **given).shape == (0, 12)
        assert np.isnan(rooftop.sky_view_raster(**given)).all()


def test_below_the_horizon_counts_as_level() -> None:
    below, level = np.array([[-5.0, 20.0] * 4]), np.array([[0.0, 20.0] * 4])
    pd.testing.assert_frame_equal(rooftop.irradiation(sky(), below), rooftop.irradiation(sky(), level))
    one, other = (rooftop.hourly_series(tables(), h).ac_w_per_kwp for h in (below, level))
    np.testing.assert_array_equal(one, other)


def test_north_is_0_and_360() -> None:
    np.testing.assert_allclose(
        rooftop.pv_energy(sky(), None, 20.0, 360.0), rooftop.pv_energy(sky(), None, 20.0, 0.0), rtol=1e-12
    )


def test_planes_where_nothing_is_masked_may_be_unknown() -> None:
    given = raster()
    tilt = np.where(given["mask"], 20.0, np.nan)
    np.testing.assert_array_equal(
        rooftop.irradiation_raster(sky(), **given, surface_tilt=tilt),
        rooftop.irradiation_raster(sky(), **given, surface_tilt=20.0),
    )


# Years that are ones ----------------------------------------------------------------------------------------------


def by_quarters() -> tuple[Weather, Weather]:
    """A smooth year in hours, and the same by quarters of an hour."""
    hours = weather().data.assign(temp_air=15.0, wind_speed=2.0)
    times = pd.date_range("2001-01-01 00:07:30", periods=4 * 8760, freq="15min", tz="UTC+08:00")
    return of(lambda _: hours), Weather(
        hours.loc[hours.index.repeat(4)].set_axis(times), 32.0, 118.8, 10.0, 900.0, "quarters"
    )


def test_a_year_may_have_equal_parts_of_hours() -> None:
    hours, quarters = by_quarters()
    assert quarters.monthly_ghi_kwh_m2().sum() == pytest.approx(hours.monthly_ghi_kwh_m2().sum())
    found = [rooftop.pv_energy(year, surface_tilt=30.0).sum() for year in (hours, quarters)]
    assert found[1] == pytest.approx(found[0], rel=0.003)
    series = rooftop.hourly_yield(quarters, horizon()[:1], rooftop.ModulePlane(30.0, 180.0, "rack"))
    assert series.ac_w_per_kwp.shape == (1, 4 * 8760) and series.interval_h == 0.25


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.astype(np.float32).astype(float),
        lambda d: d.round().astype(int),
        lambda d: d.astype("Float64"),
        lambda d: d[["wind_speed", "temp_air", "dhi", "dni", "ghi"]].assign(humidity=np.nan, place="roof"),
        lambda d: d.set_axis(d.index.tz_convert("Asia/Shanghai").as_unit("s")),
        lambda d: d.set_axis(d.index + pd.Timedelta(days=2 * 365)),
        lambda d: pd.concat([d.iloc[4344:], d.iloc[:4344].set_axis(d.index[:4344] + pd.Timedelta(days=365))]),
        lambda d: d.set_axis(
            pd.date_range("2020-01-01 00:30", periods=8784, freq="h", tz="UTC+08:00").delete(range(1416, 1440))
        ),
    ],
    ids=[
        "32 bits",
        "whole",
        "nullable",
        "more columns",
        "zone",
        "other year",
        "July to June",
        "leap year without its day",
    ],
)
def test_forms_of_a_year_give_the_same(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    found, expected = (rooftop.pv_energy(year) for year in (of(change), weather()))
    np.testing.assert_allclose(found, expected, rtol=0.01)


# Garbage ----------------------------------------------------------------------------------------------------------

RESULTS: dict[str, Callable[[Any], bool]] = {
    "horizons": lambda r: r.dtype == np.float32 and r.ndim == 2 and not (r < 0.0).any(),
    "sky_view": lambda r: r.dtype == np.float64 and r.ndim == 1 and not (r < 0.0).any(),
    "irradiation": lambda r: isinstance(r, pd.DataFrame) and bool(np.isfinite(r.to_numpy()).all()),
    "irradiation_raster": lambda r: r.shape == r.shape[:2] and r.dtype == np.float32,
    "monthly_irradiation": lambda r: r.ndim == 2 and r.shape[1] == 12,
    "sky_view_raster": lambda r: r.ndim == 2 and not (r > 1.001).any(),
    "pv_energy": lambda r: r.shape == (12,) and bool(np.isfinite(r).all()),
    "hourly_tables": lambda r: isinstance(r, HourlyTables) and bool(np.isfinite(r.coefficient).all()),
    "hourly_series": lambda r: bool(np.isfinite(r.ac_w_per_kwp).all()) or r.ac_w_per_kwp.shape[0] != 2,
    "hourly_yield": lambda r: bool(np.isfinite(r.ac_w_per_kwp).all()) or r.ac_w_per_kwp.shape[0] != 2,
    "self_use": lambda r: isinstance(r, SelfUse) and bool(np.isfinite(r.used_kwh).all()),
    "synthetic_weather": lambda r: isinstance(r, Weather) and bool(np.isfinite(r.data.to_numpy()).all()),
    "read_weather": lambda r: False,
    "run": lambda r: False,
    "ModulePlane": lambda r: isinstance(r, rooftop.ModulePlane),
    "Rows": lambda r: isinstance(r, rooftop.Rows),
    "FarField": lambda r: r.dtype == np.float32,
    "Weather": lambda r: bool(np.isfinite(r.to_numpy()).all()),
    "ArgumentError": lambda r: isinstance(r, str),
}
EDGES = [
    None, True, False, 0, 2, -1, 2**63, 10**400, -0.0, 90.0, 1e-320, 1e308, float("nan"), float("inf"), 1j,
    "", "perez", "rack", "\x00", "南", b"", [], (), {}, set(), [[]], [None], ["a"], [1, "a"], [0, 0], [True], range(3),
    object(), int, len, Decimal("1.5"), Fraction(1, 3), datetime.date(2020, 1, 1), np.datetime64("NaT", "D"),
    np.timedelta64(3, "h"), pd.NA, pd.NaT, pd.Timestamp("2020"), pd.Series([1.0, 2.0]), pd.DataFrame({"a": ["x"]}),
    np.ma.masked, np.bool_(True), np.float16(1.0), np.zeros(()), np.zeros(0), np.zeros((0, N)), np.zeros((2, N)),
    np.zeros(SHAPE), np.ones(SHAPE, bool), np.ones(12), np.ones((2, 12)), np.ones((2, 4)), np.array([None, 1.0]),
    np.array(["a"]), np.zeros(2, [("a", "f8")]), np.zeros((1,) * 20), np.full((2, N), 1e-320), np.ma.masked_all((2, N)),
    np.ma.masked_all(SHAPE), Path("x"), Ellipsis, slice(None), memoryview(b"ab"), iter([1.0]), type("E", (), {})(),
]  # fmt: skip
ANY_ARRAY: st.SearchStrategy[Any] = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_, np.complex128, "U2", "M8[s]", object]),
    st.sampled_from([(), (1,), (2,), (12,), (2, N), (2, 4), (2, 12), (1, 2), SHAPE, (0, N), (2, 2, 2)]),
)
GARBAGE = st.one_of(
    ANY_ARRAY, st.floats(), st.text(max_size=8), st.lists(st.floats() | st.none(), max_size=3),
    st.lists(st.lists(st.floats(-95.0, 95.0), min_size=N, max_size=N), min_size=2, max_size=2),
)  # fmt: skip


def arguments() -> list[tuple[str, str]]:
    return [(name, argument) for name, public in PUBLIC.items() for argument in public.bad]


@pytest.mark.parametrize("name,argument", arguments())
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(garbage=GARBAGE)
def test_garbage_is_refused_or_harmless(name: str, argument: str, garbage: Any) -> None:
    holds(name, PUBLIC[name], {argument: garbage})


@pytest.mark.parametrize("name,argument", arguments())
def test_edges_are_refused_or_harmless(name: str, argument: str) -> None:
    for garbage in EDGES:
        holds(name, PUBLIC[name], {argument: garbage})


def holds(name: str, public: Public, change: dict[str, Any]) -> None:
    """Check that a call gives what it promises, or says which argument is wrong."""
    expected = (InputError, ConfigError) if name in ("read_weather", "run") else ArgumentError
    try:
        result = public.call(**{**public.good(), **change})
    except expected as error:
        assert error.render("zh") and error.render("en")
        return
    assert RESULTS[name](result), (change, result)


def test_results_of_all_functions_are_known() -> None:
    assert set(RESULTS) == set(PUBLIC) and set(NOT_USED) <= set(PUBLIC)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_year_is_refused_or_whole(data: st.DataObject) -> None:
    """Rows and values changed at random: refused, or no less and no more than the year it came from."""
    frame = weather().data.copy()
    for _ in range(data.draw(st.integers(1, 2))):
        how = data.draw(st.sampled_from(["drop", "double", "swap", "missing", "scale", "shift"]))
        first, n = data.draw(st.integers(0, len(frame) - 50)), data.draw(st.integers(1, 48))
        rows = np.arange(len(frame))
        if how == "drop":
            frame = frame.iloc[np.delete(rows, slice(first, first + n))]
        elif how == "double":
            frame = frame.iloc[np.insert(rows, first, rows[first : first + n])]
        elif how == "swap":
            rows[[first, first + n]] = rows[[first + n, first]]
            frame = frame.iloc[rows]
        elif how == "shift":
            frame = frame.set_axis(frame.index + pd.Timedelta(hours=24 * n))
        else:
            column = data.draw(st.sampled_from(list(frame.columns)))
            by = np.nan if how == "missing" else data.draw(st.sampled_from([-1.0, 1.0, 1e6]))
            frame = frame.assign(
                **{column: frame[column].where((rows < first) | (rows >= first + n), frame[column] * by)}
            )
    try:
        found = rooftop.irradiation(of(lambda _: frame), np.zeros((1, N)), 0.0)["poa_global"].sum()
    except ArgumentError:
        return
    assert found == pytest.approx(1350.0, rel=0.12)
