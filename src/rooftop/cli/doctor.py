"""`rooftop doctor`: what on this machine would make a run fail or look wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rooftop.core.lang import Lang, Text

_MIN_FREE_GB = 2.0


@dataclass(frozen=True)
class HealthCheck:
    """One checked thing.

    Parameters
    ----------
    name : Text
    verdict : {"ok", "warn", "bad"}
    found : Text or str
    mend : Text, optional
    """

    name: Text
    verdict: Literal["ok", "warn", "bad"]
    found: Text | str
    mend: Text | None = None

    def line(self, lang: Lang) -> str:
        """Return one readable line."""
        text = self.found.pick(lang) if isinstance(self.found, Text) else self.found
        mark = {"ok": "[ok]  ", "warn": "[warn]", "bad": "[BAD] "}[self.verdict]
        mend = f" -> {self.mend.pick(lang)}" if self.mend is not None else ""
        return f"{mark} {self.name.pick(lang)}: {text}{mend}"


def examine(environment: Mapping[str, str], folder: Path) -> list[HealthCheck]:
    """Check PROJ, numba, what reads lidar, fonts, map assets and disk.

    Parameters
    ----------
    environment : mapping
        The process environment, read by the caller.
    folder : Path
        Where outputs would go.
    """
    return [_proj(environment), _numba(), _lidar(), _fonts(), _assets(), _disk(folder), _writable(folder)]


def _proj(environment: Mapping[str, str]) -> HealthCheck:
    name = Text("PROJ (coordinates)", "PROJ（坐标转换）")
    stale = {key: environment[key] for key in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA") if key in environment}
    try:
        from pyproj import Transformer

        x, _ = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True).transform(120.0, 34.6)
        good = abs(x - 500_000.0) < 0.01
    except Exception as error:
        mend = Text(
            "unset PROJ_LIB and PROJ_DATA, they point to another installation", "请取消 PROJ_LIB、PROJ_DATA 环境变量"
        )
        return HealthCheck(name, "bad", f"{type(error).__name__}: {error}", mend)
    if not good:
        return HealthCheck(name, "bad", f"120°E -> x = {x:.3f}", Text("reinstall pyproj", "请重新安装 pyproj"))
    if stale:
        mend = Text("unset them if another program set them", "若由其他软件设置，建议取消")
        return HealthCheck(name, "warn", ", ".join(f"{k}={v}" for k, v in sorted(stale.items())), mend)
    return HealthCheck(name, "ok", Text("transforms are right", "坐标转换正常"))


def _numba() -> HealthCheck:
    name = Text("numba (kernels)", "numba（计算内核）")
    try:
        import numba
        import numpy as np

        from rooftop.solar.horizons import horizons

        wall = np.zeros((3, 9))
        wall[:, 6] = 3.0
        angle = float(horizons(wall, 1.0, [1], [2], n_azimuth=4)[0, 1])
    except Exception as error:
        return HealthCheck(name, "bad", f"{type(error).__name__}: {error}", Text("reinstall numba", "请重新安装 numba"))
    expected = float(np.degrees(np.arctan2(3.0, 3.5)))
    if abs(angle - expected) > 0.01:
        return HealthCheck(
            name, "bad", f"{angle:.3f}° != {expected:.3f}°", Text("reinstall rooftop", "请重新安装 rooftop")
        )
    return HealthCheck(name, "ok", f"{numba.__version__}, {os.cpu_count()} CPU")


def _lidar() -> HealthCheck:
    name = Text("point clouds (LAS, LAZ)", "点云（LAS、LAZ）")
    needed = Text('only for point clouds: pip install "laspy[lazrs]"', '仅读取点云时需要：pip install "laspy[lazrs]"')
    try:
        import laspy
    except ImportError:
        return HealthCheck(name, "ok", Text("laspy is not installed", "未安装 laspy"), needed)
    if not laspy.LazBackend.detect_available():
        return HealthCheck(name, "warn", Text("lazrs is not installed: LAS only", "未安装 lazrs：只能读取 LAS"), needed)
    return HealthCheck(name, "ok", f"laspy {laspy.__version__}")


def _fonts() -> HealthCheck:
    from rooftop.outputs.report.charts import cjk_font

    name = Text("Chinese font (charts)", "中文字体（图表）")
    font = cjk_font()
    if font is None:
        mend = Text("install fonts-noto-cjk or Microsoft YaHei", "请安装 fonts-noto-cjk、思源黑体或微软雅黑")
        return HealthCheck(name, "warn", Text("none found: charts show boxes", "未找到：图表中的汉字无法显示"), mend)
    return HealthCheck(name, "ok", font)


def _assets() -> HealthCheck:
    from rooftop.core.errors import RooftopError
    from rooftop.outputs.map.offline import check_assets

    name = Text("map assets", "地图离线资源")
    try:
        size = check_assets()
    except RooftopError as error:
        return HealthCheck(name, "bad", str(error.what), Text("reinstall rooftop's requirements", "请重新安装依赖"))
    return HealthCheck(
        name, "ok", Text(f"{size / 1e6:.1f} MB inlined from wheels", f"{size / 1e6:.1f} MB，均来自已安装的软件包")
    )


def _disk(folder: Path) -> HealthCheck:
    name = Text("disk", "磁盘空间")
    free = shutil.disk_usage(folder).free / 1e9
    verdict: Literal["ok", "warn"] = "ok" if free >= _MIN_FREE_GB else "warn"
    mend = None if verdict == "ok" else Text("a city needs about 2 GB", "一个城市约需 2 GB")
    return HealthCheck(name, verdict, Text(f"{free:.1f} GB free", f"剩余 {free:.1f} GB"), mend)


def _writable(folder: Path) -> HealthCheck:
    name = Text("output folder", "输出目录")
    try:
        handle, path = tempfile.mkstemp(dir=folder, prefix="rooftop-汉字-")
        os.close(handle)
        Path(path).unlink()
    except OSError as error:
        return HealthCheck(name, "bad", str(error), Text("choose another folder with -o", "请用 -o 指定其他目录"))
    return HealthCheck(name, "ok", str(folder))
