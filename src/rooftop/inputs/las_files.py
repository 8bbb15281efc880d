"""LAS and LAZ files: headers, where they lie, unit of heights, points in chunks; laspy is imported when needed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError

from rooftop.config import ElevationInput
from rooftop.core.errors import InputError
from rooftop.core.lang import Text
from rooftop.core.notices import Notice
from rooftop.core.types import F8
from rooftop.inputs import laz_points
from rooftop.inputs.datums import check_coordinates, locate, parse_crs
from rooftop.inputs.las_header import check_header
from rooftop.inputs.laz_points import CHUNK
from rooftop.inputs.vertical import height_unit_m

SUFFIXES = (".las", ".laz")

_SPARSEST_M2 = 1_000.0  # the plainest of clouds has a point every few metres
_NODE_M, _MOST_NODES = 100.0, 1000.0


def is_point_cloud(path: Path) -> bool:
    """Return whether a path is a LAS or LAZ file, or a folder."""
    return path.suffix.lower() in SUFFIXES or os.path.isdir(path)


_FLAGGED_FORMAT = 6


@dataclass(frozen=True, kw_only=True)
class PointFile:
    """One file: what its header says, and how its plan comes into the working CRS.

    Parameters
    ----------
    path : Path
    header : laspy.LasHeader
    source : pyproj.CRS
        CRS of the file, vertical axis included where it has one.
    unit_m : float
        Metres per unit of height.
    low, step : tuple of float
        First node and distance of the nodes, in the plan units of the file.
    node : (2, n_y, n_x) ndarray or None
        x and y in the working CRS of a lattice over the header's extent: a map projection bends by less than a
        millimetre between nodes 100 m apart. None where the file is in the working CRS.
    bounds, area_m2
        Extent in the working CRS.
    notices : tuple of Notice
    """

    path: Path
    header: Any
    source: CRS
    unit_m: float
    low: tuple[float, float]
    step: tuple[float, float]
    node: F8 | None
    bounds: tuple[float, float, float, float]
    area_m2: float
    notices: tuple[Notice, ...]

    def place(self, x: F8, y: F8) -> tuple[F8, F8]:
        """Return positions in the working CRS."""
        if self.node is None:
            return x, y
        n_y, n_x = self.node.shape[1:]
        u, v = (x - self.low[0]) / self.step[0], (y - self.low[1]) / self.step[1]
        i, j = np.clip(u.astype(np.int64), 0, n_x - 2), np.clip(v.astype(np.int64), 0, n_y - 2)
        u, v = u - i, v - j
        x, y = (
            (at[j, i] * (1 - u) + at[j, i + 1] * u) * (1 - v) + (at[j + 1, i] * (1 - u) + at[j + 1, i + 1] * u) * v
            for at in self.node
        )
        return x, y

    @property
    def legacy(self) -> bool:
        """Whether its point format is one in which overlap is a class, not a flag."""
        return bool(self.header.point_format.id < _FLAGGED_FORMAT)

    def chunks(self) -> Iterator[Any]:
        """Yield the points, a million at a time."""
        import laspy

        if self.header.are_points_compressed:
            yield from self._laz_chunks()
            return
        try:
            with laspy.open(self.path) as reader:
                yield from reader.chunk_iterator(CHUNK)
        except InputError:
            raise
        except Exception as error:  # damaged data raise whatever the decoder meets
            raise _unreadable_error(str(self.path), error) from error

    def _laz_chunks(self) -> Iterator[Any]:
        """Yield the points of a LAZ file, unpacked in a process of its own."""
        import laspy

        layout = self.header.point_format
        record, n_remaining = layout.dtype(), self.n_points
        command = [sys.executable, "-P", str(Path(laz_points.__file__)), str(self.path)]
        with TemporaryFile() as stderr, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr) as child:
            try:
                while n_remaining > 0 and child.stdout is not None:
                    n = min(n_remaining, CHUNK)
                    data = child.stdout.read(n * record.itemsize)
                    if len(data) < n * record.itemsize:
                        raise _unreadable_error(str(self.path), _last_message(stderr, child.wait()))
                    points = np.frombuffer(data, dtype=record)
                    yield laspy.ScaleAwarePointRecord(points, layout, self.header.scales, self.header.offsets)
                    n_remaining -= n
            finally:
                child.kill()

    @property
    def n_points(self) -> int:
        """Number of points that the header states."""
        return int(self.header.point_count)

    @property
    def n_pulses(self) -> int:
        """Number of first returns, or of points where the header does not count them."""
        returns = np.asarray(self.header.number_of_points_by_return)
        return int(returns[0]) if len(returns) and returns[0] else self.n_points


def point_files(config: ElevationInput, role: str) -> list[Path]:
    """Return the files of a configuration, those of a folder by name.

    Raises
    ------
    InputError
        One is missing, or no point cloud.
    """
    files: list[Path] = []
    for path in config.path:
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if not inside or not inside[0].is_file() or inside[0].suffix.lower() not in SUFFIXES:
            empty = Text("a folder without point clouds", "文件夹内没有点云") if path.is_dir() else None
            raise InputError(
                Text("the point cloud does not exist", "点云文件不存在"),
                where=f"{role}.path: {path}",
                found=empty,
                expected=Text("LAS or LAZ files, nothing else beside them", "LAS 或 LAZ 文件（不可与栅格混用）"),
                mend=Text("check the path; it is relative to the configuration", "请检查路径（相对于配置文件）"),
            )
        files.extend(inside)
    return files


def _import_laspy(role: str) -> Any:
    try:
        import laspy
    except ImportError as error:
        raise _missing_package_error(role, "laspy") from error
    return laspy


def _missing_package_error(role: str, name: str) -> InputError:
    return InputError(
        Text(f"reading point clouds needs the package {name}", f"读取点云需要安装 {name} 包"),
        where=role,
        found=Text(f"{name} is not installed", f"未安装 {name}"),
        expected=Text("the extra `lidar` of rooftop", "rooftop 的可选组件 lidar"),
        mend='pip install "laspy[lazrs]"',
    )


def open_points(path: Path, config: ElevationInput, crs: CRS, role: str) -> PointFile:
    """Read a header and find the way from its CRS to the working one.

    Raises
    ------
    InputError
        laspy or lazrs is not installed, the file cannot be read, no CRS or no unit of heights is known.
    """
    laspy, where = _import_laspy(role), f"{role}.path: {path}"
    if path.suffix.lower() == ".laz" and not laspy.LazBackend.detect_available():
        raise _missing_package_error(role, "lazrs")
    try:
        check_header(path)
        with laspy.open(path) as reader:
            header = reader.header
    except Exception as error:  # laspy lets through whatever a damaged header causes
        raise _unreadable_error(where, error) from error
    if not header.point_count:
        raise _unreadable_error(where, "0 points")
    source = _crs_of(header, config, where)
    unit = height_unit_m(config.vertical_unit, source, where, f"{role}.vertical_unit")
    plan = plan_part(source)
    low, high = header.mins[:2].astype(float), header.maxs[:2].astype(float)
    check_coordinates((*low, *high), plan, where)
    step = np.maximum((high - low) / np.clip(np.ceil((high - low) / _node_step(plan)), 1.0, _MOST_NODES), 1e-9)
    n_x, n_y = (int(v) + 1 for v in np.maximum(np.round((high - low) / step), 1.0))
    x, y = np.meshgrid(low[0] + np.arange(n_x) * step[0], low[1] + np.arange(n_y) * step[1])
    located = locate(shapely.points(x.ravel(), y.ravel()), plan, "wgs84", crs, where)
    node = shapely.get_coordinates(located.projected).T.reshape(2, n_y, n_x)
    west, south, east, north = (float(v) for v in (*node.min(axis=(1, 2)), *node.max(axis=(1, 2))))
    corners = node[:, [0, 0, -1, -1], [0, -1, -1, 0]].T
    area = float(shapely.area(shapely.Polygon(corners)))
    if area > _SPARSEST_M2 * int(header.point_count):
        raise _too_wide_error(where, area, int(header.point_count))
    return PointFile(
        path=path,
        header=header,
        source=source,
        unit_m=unit,
        low=(float(low[0]), float(low[1])),
        step=(float(step[0]), float(step[1])),
        node=None if plan == crs else node,
        bounds=(west, south, east, north),
        area_m2=area,
        notices=located.notices,
    )


def _last_message(stderr: IO[bytes], code: int) -> str:
    """Return what the process that unpacked points said last, or how it ended."""
    stderr.seek(0)
    lines = stderr.read().decode(errors="replace").split("\n")
    messages = [line.strip() for line in lines if line.strip()]
    return messages[-1] if messages else f"the decoder ended with {code}"


def _unreadable_error(where: str, found: object) -> InputError:
    return InputError(
        Text("the file is not a point cloud that can be read", "该文件不是可读取的点云"),
        where=where,
        found=str(found)[:200],
        expected="LAS / LAZ 1.0 - 1.4",
        mend=Text("copy or download it again", "请重新复制或下载"),
    )


def _too_wide_error(where: str, area_m2: float, n_points: int) -> InputError:
    return InputError(
        Text("the header states an extent that its points cannot fill", "文件头所述范围远大于其点数所能覆盖"),
        where=where,
        found=Text(
            f"{n_points:,} points on {area_m2 / 1e6:,.0f} km²", f"{area_m2 / 1e6:,.0f} km² 内仅 {n_points:,} 个点"
        ),
        expected=Text(f"a point on {_SPARSEST_M2:,.0f} m² at least", f"至少每 {_SPARSEST_M2:,.0f} ㎡ 一个点"),
        mend=Text(
            "write the header again: lasinfo -repair_bb, or pdal translate",
            "请重写文件头：lasinfo -repair_bb 或 pdal translate",
        ),
    )


def _crs_of(header: Any, config: ElevationInput, where: str) -> CRS:
    """Return the CRS of the configuration, else of the header's WKT or GeoTIFF records."""
    if config.crs is not None:
        return parse_crs(config.crs, where)
    try:
        stated = header.parse_crs()
    except (ProjError, ValueError, KeyError, NotImplementedError) as error:
        found: Text | str = str(error)[:120]
        stated = None
    else:
        found = Text("neither WKT nor GeoTIFF keys in the header", "文件头中既无 WKT 也无 GeoTIFF 坐标系信息")
    if stated is None:
        raise InputError(
            Text("the point cloud does not say in which CRS it is", "点云文件未注明坐标系"),
            where=where,
            found=found,
            expected=Text("a CRS", "坐标参考系"),
            mend=Text("set crs beside path, e.g. crs: EPSG:4549", "请在 path 旁设置 crs，例如 crs: EPSG:4549"),
        )
    return CRS(stated)


def plan_part(crs: CRS) -> CRS:
    """Return the horizontal part of a compound or three-dimensional CRS."""
    if crs.is_compound:
        return CRS(crs.sub_crs_list[0])
    return CRS(crs.to_2d()) if len(crs.axis_info) > 2 else crs


def _node_step(plan: CRS) -> float:
    """Return the distance of nodes, in units of the CRS."""
    if plan.is_geographic:
        return float(np.degrees(_NODE_M / 6_371_000.0))
    return _NODE_M / float(plan.axis_info[0].unit_conversion_factor if plan.axis_info else 1.0)


def sha256_of_points(files: Sequence[PointFile]) -> str:
    """Hash all files one after another."""
    digest = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
