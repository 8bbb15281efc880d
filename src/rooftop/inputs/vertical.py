"""Units of heights in files whose CRS may or may not say them."""

from __future__ import annotations

from pyproj import CRS

from rooftop.core.choices import VerticalUnit
from rooftop.core.errors import InputError
from rooftop.core.lang import Text

_UNIT_M: dict[VerticalUnit, float] = {"m": 1.0, "ft": 0.3048, "us-ft": 1200.0 / 3937.0}


def height_unit_m(declared: VerticalUnit | None, source: CRS, where: str, key: str) -> float:
    """Return metres per unit of height: as declared, as the vertical axis says, metres where the plan is metric.

    Parameters
    ----------
    declared : str, optional
        Unit of the configuration.
    source : CRS
        Of the file, compound or not.
    where : str
        The file, for errors.
    key : str
        Key of the configuration that would declare it.

    Raises
    ------
    InputError
        Nothing says it, and the plan is not in metres.
    """
    if declared is not None:
        return _UNIT_M[declared]
    upright = [a for part in (source, *source.sub_crs_list) for a in part.axis_info if a.direction in ("up", "down")]
    if upright:
        return float(upright[0].unit_conversion_factor)
    if not source.is_projected or abs(source.axis_info[0].unit_conversion_factor - 1.0) < 1e-9:
        return 1.0
    raise InputError(
        Text("the unit of heights is not known", "高程单位未知"),
        where=where,
        found=Text(
            f"{source.name}: no vertical axis, plan in {source.axis_info[0].unit_name}",
            f"{source.name}：无竖向轴，平面单位为 {source.axis_info[0].unit_name}",
        ),
        expected="m | ft | us-ft",
        mend=Text(f"set {key}", f"请设置 {key}"),
    )
