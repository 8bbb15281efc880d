"""Georeferenced rasters: an `xarray.DataArray` as rioxarray makes it goes in, its coordinates come out again.

xarray is never imported here: who gives a DataArray has imported it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from rooftop.core.arguments import is_data_array, require_number, shown_value, unusable
from rooftop.core.lang import Text
from rooftop.core.types import F8
from rooftop.inputs.datums import WGS84, meridian_convergence_deg

_UNEVEN = 1e-3  # share of a cell by which a coordinate, or the other side of a cell, may differ
_MEND = Text(
    "give a numpy array with cell_size_m, or reproject: dsm.rio.reproject(dsm.rio.estimate_utm_crs(), resolution=1.0)",
    "请给出 numpy 数组与 cell_size_m，或重投影：dsm.rio.reproject(dsm.rio.estimate_utm_crs(), resolution=1.0)",
)


@dataclass(frozen=True)
class Georeference:
    """Where the cells of a raster lie: rioxarray's conventions.

    Parameters
    ----------
    array : xarray.DataArray
        Dimensions ``y`` (falling) and ``x`` (rising) with coordinates at the cells' centres [m]; the CRS, if any, in
        the attributes of the coordinate ``spatial_ref``, or of the one that ``grid_mapping`` names.
    cell_size_m : float
    """

    array: Any
    cell_size_m: float

    @classmethod
    def from_data_array(cls, dsm: Any, cell_size_m: float | None) -> Georeference:
        """Return the georeference of a DataArray.

        Parameters
        ----------
        dsm : xarray.DataArray
        cell_size_m : float, optional
            What the caller says; it must be what the coordinates say.

        Raises
        ------
        ArgumentError
            Other dimensions, coordinates that are no raster of square cells, or a CRS that is not in metres.
        """
        _check_dims("dsm", dsm)
        steps = [_step(dsm, name, sign) for name, sign in (("x", 1.0), ("y", -1.0))]
        known = [step for step in steps if step is not None]
        if not known:
            raise unusable("dsm", str(dsm.shape), Text("at least two cells", "至少两个单元"))
        if abs(known[0] - known[-1]) > _UNEVEN * known[0]:
            raise unusable("dsm.coords", " × ".join(f"{step:g}" for step in known), _SQUARE, _MEND)
        size_m = require_number("cell_size_m", float(known[0]))
        if cell_size_m is not None and abs(require_number("cell_size_m", cell_size_m) - size_m) > _UNEVEN * size_m:
            expected = Text(f"{size_m:g} m, as the coordinates say", f"{size_m:g} m（依坐标）")
            raise unusable("cell_size_m", shown_value(cell_size_m), expected, Text("leave it out", "请省略该参数"))
        reference = cls(dsm, size_m)
        _require_metres(reference.crs)
        return reference

    @functools.cached_property
    def crs(self) -> CRS | None:
        """The raster's CRS; None where it has none."""
        name = self.array.encoding.get("grid_mapping") or self.array.attrs.get("grid_mapping") or "spatial_ref"
        attributes = dict(self.array.coords[name].attrs) if name in self.array.coords else {}
        wkt = attributes.get("crs_wkt") or attributes.get("spatial_ref")
        if not wkt and "grid_mapping_name" not in attributes:
            return None
        try:
            return (CRS.from_user_input(wkt) if wkt else CRS.from_cf(attributes)).to_2d()
        except CRSError as error:
            raise unusable(f"dsm.coords['{name}']", shown_value(wkt or attributes), "WKT", _MEND) from error

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the first cell on the lattice that begins where x and y are zero."""
        y, x = float(self.array["y"][0]), float(self.array["x"][0])
        return round(-y / self.cell_size_m - 0.5), round(x / self.cell_size_m - 0.5)

    @property
    def grid_north_deg(self) -> float:
        """True azimuth of grid north in the middle of the raster [deg]; 0 without a CRS."""
        if self.crs is None:
            return 0.0
        x, y = (0.5 * float(self.array[name][0] + self.array[name][-1]) for name in ("x", "y"))
        lon, lat = Transformer.from_crs(self.crs, WGS84, always_xy=True).transform(x, y)
        return float(meridian_convergence_deg(self.crs, lon, lat))

    def heights(self) -> NDArray[Any]:
        """Heights (ny, nx), NaN where the attribute ``_FillValue`` stands."""
        values = np.asarray(self.array)
        fill = self.array.attrs.get("_FillValue")
        if fill is None or values.dtype.kind not in "fiu":
            return values
        missing = values == fill
        return np.where(missing, np.nan, values) if missing.any() else values

    def aligned_raster(self, name: str, given: Any) -> Any:
        """Return another raster of the call; an `ArgumentError` where it is one of other cells."""
        if not is_data_array(given) or not np.ndim(given):
            return given
        _check_dims(name, given)
        for axis in ("y", "x"):
            coords, other = self.array[axis].to_numpy(), given[axis].to_numpy()
            if coords.shape != other.shape or np.abs(coords - other).max() > _UNEVEN * self.cell_size_m:
                expected = Text(f"the {axis} of dsm, {_ends(coords)}", f"与 dsm 的 {axis} 相同，{_ends(coords)}")
                call = f"{name}.rio.reproject_match(dsm)"
                mend = Text(f"bring it there: {call}", f"请对齐：{call}")
                raise unusable(f"{name}.coords['{axis}']", _ends(other), expected, mend)
        return given

    def raster(self, values: NDArray[Any], name: str, **attributes: str) -> Any:
        """Return values (ny, nx) or (12, ny, nx) with the coordinates of the raster."""
        coords = dict(self.array.coords)
        dims: tuple[str, ...] = ("y", "x")
        if values.ndim == 3:
            dims = ("month", *dims)
            coords["month"] = np.arange(1, 13)
        if "grid_mapping" in self.array.attrs:
            attributes["grid_mapping"] = self.array.attrs["grid_mapping"]
        out = type(self.array)(values, coords=coords, dims=dims, name=name, attrs=attributes)
        if "grid_mapping" in self.array.encoding:
            out.encoding["grid_mapping"] = self.array.encoding["grid_mapping"]
        return out


_SQUARE = Text("equal steps, x rising and y falling: square cells", "等间距、x 递增、y 递减的正方形单元")


def _check_dims(name: str, given: Any) -> None:
    if given.dims == ("y", "x"):
        return
    mend = Text("rename them: .rename(lon='x', lat='y')", "请改名：.rename(lon='x', lat='y')")
    if set(given.dims) == {"y", "x"}:
        mend = Text("turn it: .transpose('y', 'x')", "请转置：.transpose('y', 'x')")
    elif given.dims[-2:] == ("y", "x"):
        mend = Text(f"choose one: .isel({given.dims[0]}=0)", f"请选取一层：.isel({given.dims[0]}=0)")
    raise unusable(f"{name}.dims", str(given.dims), "('y', 'x')", mend)


def _step(dsm: Any, axis: str, sign: float) -> float | None:
    """Return the step of a coordinate; None of a single one."""
    if axis not in dsm.coords:
        raise unusable("dsm.coords", ", ".join(map(str, dsm.coords)) or "{}", "x, y", _MEND)
    at = dsm[axis].to_numpy()
    if at.dtype.kind not in "fiu" or not np.isfinite(at).all():
        raise unusable(f"dsm.coords['{axis}']", str(at.dtype), Text("numbers [m]", "数值 [m]"), _MEND)
    if at.size < 2:
        return None
    step = sign * float(at[-1] - at[0]) / (at.size - 1)
    if step < 0.0:
        call = f"dsm.isel({axis}=slice(None, None, -1))"
        mend = Text(f"turn it: {call}", f"请翻转：{call}")
        raise unusable(f"dsm.coords['{axis}']", _ends(at), _SQUARE, mend)
    if np.abs(at - (at[0] + sign * step * np.arange(at.size))).max() > _UNEVEN * step or step == 0.0:
        raise unusable(f"dsm.coords['{axis}']", _ends(at), _SQUARE, _MEND)
    return step


def _require_metres(crs: CRS | None) -> None:
    if crs is None or (crs.is_projected and all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info)):
        return
    units = ", ".join(dict.fromkeys(axis.unit_name for axis in crs.axis_info))
    raise unusable(
        "dsm.rio.crs", f"{crs.name} ({units})", Text("a projected CRS in metres", "以米为单位的投影坐标系"), _MEND
    )


def _ends(at: F8) -> str:
    return f"{at[0]:g} … {at[-1]:g} ({at.size})" if at.size else "()"
