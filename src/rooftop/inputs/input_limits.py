"""What a value read from a file may be (`configs/input_limits.yaml`), typed for all readers."""

from __future__ import annotations

from rooftop.core.datamodel import Model
from rooftop.core.resources import load_shipped


class Most(Model):
    """The largest believable value."""

    max: float
    source: str


class MostFloors(Model):
    """The largest believable number of floors."""

    max: int
    source: str


class Least(Model):
    """The smallest value that counts."""

    min: float
    source: str


class Years(Model):
    """Believable years, both included."""

    min: int
    max: int


class PlacePairs(Model):
    """When two inputs lie apart, and when a usual mistake explains it; shares of points."""

    least_share: float
    explained_share: float
    explained_more: float
    many_outside: float
    all_explained: float
    sample: int
    source: str


class RepairArea(Model):
    """By how much a repair may change an outline."""

    share: float
    min_m2: float
    source: str


class AreaError(Model):
    """By how much areas of the working CRS may be off, as shares."""

    warn: float
    refuse: float
    source: str


class FarRows(Model):
    """How far from the others a row cannot belong to them."""

    sure_km: float
    few_km: float
    few_share: float
    times_the_median: float
    source: str


class Storeys(Model):
    """Believable heights over floors [m]: of the median, of a row, of one floor, and from so many rows on."""

    median: tuple[float, float]
    row: tuple[float, float]
    single_row_max: float
    min_rows: int
    source: str


class SameOutline(Model):
    """When two outlines are one delivered twice."""

    middles_m: float
    share: float
    source: str


class NotMetres(Model):
    """When a column of heights has another unit."""

    min_share: float
    min_distinct: int
    usual_floors: int
    source: str


class TwoDigitYear(Model):
    """The last year of two digits that is of this century."""

    last: int
    source: str


class Epoch(Model):
    """Believable milliseconds since 1970, both included."""

    min: int
    max: int
    source: str


class UtcOffset(Model):
    """Hours from UTC where nothing tells them."""

    china: float
    source: str


class InputLimits(Model):
    """Typed view of `configs/input_limits.yaml`."""

    source: str
    date: object
    height_m: Most
    floors: MostFloors
    year_built: Years
    footprint_m2: Most
    height_of_overlap_share: Least
    overlap_m2: Least
    place_pairs: PlacePairs
    repair_area: RepairArea
    working_crs_area_error: AreaError
    far_rows: FarRows
    readable_share: Least
    storey_m: Storeys
    same_outline: SameOutline
    not_metres: NotMetres
    two_digit_year: TwoDigitYear
    epoch_ms: Epoch
    utc_offset_h: UtcOffset


def input_limits() -> InputLimits:
    """Return the shipped limits."""
    return load_shipped(InputLimits, "input_limits.yaml")
