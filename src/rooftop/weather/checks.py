"""What is believed of a weather file or an irradiance raster (`configs/weather_checks.yaml`), typed for all who ask."""

from __future__ import annotations

from rooftop.core.datamodel import Model, Sourced, SourcedBand, SourcedCount
from rooftop.core.resources import load_shipped


class FileSize(Model):
    """How large a weather file may be."""

    most_mb: Sourced


class Extremes(Model):
    """What an hourly value may be."""

    low: float
    high: float


class HourlyValues(Model):
    """What hourly values may be, by column."""

    ghi: Extremes
    dni: Extremes
    dhi: Extremes
    temp_air: Extremes
    wind_speed: Extremes
    source: str

    def of(self, column: str) -> Extremes:
        """Return what the values of a column may be."""
        extremes = getattr(self, column)
        assert isinstance(extremes, Extremes)
        return extremes


class Gaps(Model):
    """What may be missing, and how it is filled."""

    interpolate_hours: SourcedCount
    neighbour_days: SourcedCount
    max_missing_share: Sourced
    column_absent_share: Sourced


class ClosureLimits(Model):
    """How well GHI = DNI cos z + DHI has to close, and when another time closes better."""

    good_w_m2: Sourced
    poor_w_m2: Sourced
    coarse_step_min: Sourced
    fine_step_min: Sourced
    adopt_ratio: Sourced
    adopt_gain_w_m2: Sourced
    close_share: Sourced
    apart_w_m2: Sourced


class NoonLimits(Model):
    """By how much the light may be later than the sun: clear days, all days, sunrise and sunset."""

    day_misfit: Sourced
    height_share: Sourced
    min_day_wh_m2: Sourced
    reach_min: Sourced
    min_days: SourcedCount
    min_months: SourcedCount
    max_spread_min: Sourced
    notable_min: Sourced
    snap_min: Sourced
    snap_within_min: Sourced
    doubt_min: Sourced
    lit_w_m2: Sourced
    up_deg: Sourced
    edges_tolerance_hours: SourcedCount
    edges_agree_min: Sourced
    edges_beyond_min: Sourced
    edges_doubt_min: Sourced
    edges_alone_hours: SourcedCount
    edges_alone_min: Sourced


class SummerTime(Model):
    """How clear days show that a clock was put forward."""

    step_min: SourcedBand
    min_days: SourcedCount


class Night(Model):
    """Below which elevation the sun is down."""

    sun_elevation_deg: Sourced


class ClearSkyBound(Model):
    """Totals as shares of a clean, dry, cloudless sky's."""

    tolerance: Sourced
    annual_low_share: Sourced
    monthly_low_share: Sourced
    monthly_floor_kwh_m2: Sourced
    usual_annual_share: SourcedBand


class MonthOrder(Model):
    """When twelve months seem to stand in another order."""

    from_latitude_deg: Sourced
    fits: Sourced
    better_by: Sourced
    least_shift: SourcedCount


class UnitSigns(Model):
    """How irradiance and temperature look in other units."""

    irradiance: dict[str, float]
    peak_share: SourcedBand
    peak_w_m2: Sourced
    kelvin_above: Sourced
    fahrenheit_better_k: Sourced
    unlike_climate_k: Sourced


class PlaceLimits(Model):
    """Where the weather file may lie against where the buildings are."""

    warning_km: Sourced
    refuse_km: Sourced
    opposite_seasons_deg: Sourced
    slip_km: Sourced
    altitude_m: Sourced


class SeasonLimits(Model):
    """How the months may run against the sun's, and against another year's."""

    outside_deg: Sourced
    refuse_correlation: Sourced
    month_difference: Sourced
    month_share: Sourced


class WeatherChecks(Model):
    """Typed view of `configs/weather_checks.yaml`."""

    date: object
    file: FileSize
    values: HourlyValues
    gaps: Gaps
    closure: ClosureLimits
    noon: NoonLimits
    summer_time: SummerTime
    night: Night
    clear_sky_bound: ClearSkyBound
    month_order: MonthOrder
    dni_to_ghi: SourcedBand
    temperature: SourcedBand
    units: UnitSigns
    place: PlaceLimits
    season: SeasonLimits


def weather_checks() -> WeatherChecks:
    """Return the shipped limits."""
    return load_shipped(WeatherChecks, "weather_checks.yaml")
