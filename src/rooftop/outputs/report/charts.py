"""Charts of the report, as SVG whose text stays text, and the search for a font that has Chinese."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as MplPath

from rooftop.core.lang import Lang, Text
from rooftop.core.notices import Notice
from rooftop.core.rounding import percent, significant
from rooftop.core.types import F8
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.map.style import NO_DATA_COLOUR, YIELD_COLOURS
from rooftop.outputs.report.findings import Finding
from rooftop.targets.columns import numeric_column

# In the order of preference; the first that is installed is used.
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Heiti SC",
    "Noto Sans CJK JP",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "SimSun",
)
INK, SOFT, LINE = "#1F4E79", "#C9D8E6", "#8A97A3"
ACCENT, TARGET = "#E08A00", "#B00020"
MAX_UNITS = 30
_MONTHS = [f"{month:02d}" for month in range(1, 13)]


@cache
def cjk_font() -> str | None:
    """Return the name of an installed font with Chinese characters, None when there is none."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    font_name = next((name for name in CJK_FONTS if name in installed), None)
    if font_name is not None:
        return font_name
    # The list is cached between programs: a font installed since is only in the folders.
    for path in sorted(font_manager.findSystemFonts()):
        if any(mark in path.lower() for mark in ("cjk", "wqy", "yahei", "simhei", "sourcehan", "notosanssc")):
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):
                continue
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


def font_notice() -> Notice | None:
    """Say so when no font with Chinese characters is installed."""
    if cjk_font() is not None:
        return None
    text = Text(
        "no font with Chinese characters was found: text in charts keeps its characters, but its spacing is estimated",
        "未找到中文字体：图中文字仍为中文字符，但排版间距为估计值",
    )
    return Notice("no_cjk_font", text, 1, "info", "report")


@contextmanager
def _style(salt: str) -> Iterator[None]:
    """Settings of one chart; `salt` keeps its ids apart from those of other charts on the page, and the bytes fixed."""
    families = [name for name in (cjk_font(), "DejaVu Sans") if name]
    settings: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": families,
        "font.size": 9,
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": LINE,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "xtick.color": "#444444",
        "ytick.color": "#444444",
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
        # A dollar sign in a name is a dollar sign.
        "text.parse_math": False,
    }
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, dpi=200)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _in_short_unit(values: Sequence[float], lang: Lang) -> tuple[list[float], str]:
    """Energies [kWh] in a unit that keeps the numbers short."""
    top = max([abs(v) for v in values], default=0.0)
    if lang == "zh":
        scale, unit = (1e8, "亿kWh") if top >= 1e8 else (1e4, "万kWh")
    else:
        scale, unit = (1e6, "GWh") if top >= 1e7 else (1e3, "MWh")
    return [v / scale for v in values], unit


def monthly_energy(data: ReportData, lang: Lang = "zh") -> str:
    """Return the energy of each month of year one, all roofs, as SVG."""
    values, unit = _in_short_unit(
        [float(np.nansum(numeric_column(data.tables.roofs, f"kwh_{m}"))) for m in _MONTHS], lang
    )
    with _style("monthly"):
        figure = Figure(figsize=(5.2, 2.7), layout="constrained")
        axes = figure.add_subplot()
        axes.bar(range(1, 13), values, color=INK, width=0.72)
        axes.set_xticks(range(1, 13), [f"{m}月" if lang == "zh" else str(m) for m in range(1, 13)])
        axes.set_ylabel(unit)
        axes.set_title(
            Text("Energy by month if every usable roof is built on", "全部可用屋顶安装后的逐月发电量").pick(lang),
            loc="left",
        )
        axes.yaxis.grid(True, color="#E3E8ED", linewidth=0.6)
        axes.set_axisbelow(True)
        return _svg(figure)


def yield_histogram(data: ReportData, lang: Lang = "zh") -> str:
    """Return how many roofs have which specific yield, as SVG."""
    values = numeric_column(data.tables.roofs, "specific_yield_kwh_kwp")
    values = values[np.isfinite(values) & (numeric_column(data.tables.roofs, "capacity_kwp") > 0)]
    with _style("yield"):
        figure = Figure(figsize=(5.2, 2.7), layout="constrained")
        axes = figure.add_subplot()
        if values.size:
            step = 25.0
            edges = np.arange(np.floor(values.min() / step), np.floor(values.max() / step) + 2) * step
            axes.hist(values, bins=edges.tolist(), color=INK, rwidth=0.92)
            median = float(np.median(values))
            axes.set_ymargin(0.16)
            axes.axvline(median, color=ACCENT, linewidth=1.2)
            label = Text(f"median {significant(median):,f}", f"中位数 {significant(median):,f}").pick(lang)
            axes.annotate(
                label,
                (median, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(4, -10),
                textcoords="offset points",
                color="#9A5F00",
            )
        axes.set_xlabel(Text("kWh/kWp per year", "年等效利用小时数（h）").pick(lang))
        axes.set_ylabel(Text("roofs", "屋顶数").pick(lang))
        axes.set_title(Text("Specific yield of the roofs", "屋顶年等效利用小时数分布").pick(lang), loc="left")
        return _svg(figure)


def _whiskers(low: F8, central: F8, high: F8) -> tuple[F8, F8]:
    """Return where whiskers start and how far they reach down and up; from the low bound where no middle is known."""
    middle = np.where(np.isnan(central), low, central)
    return middle, np.nan_to_num(np.stack([middle - low, high - middle]).clip(min=0.0))


_BARS = {
    "potential": Text("potential", "潜力"),
    "installed": Text("installed (with bounds)", "已装（含上下限）"),
    "planned": Text("with the selected roofs", "实施所选屋顶后"),
    "target": Text("target", "目标"),
}


def coverage_bars(findings: Sequence[Finding], lang: Lang = "zh") -> str:
    """Return installed coverage with its bounds, coverage with the selected roofs, potential and target, as SVG.

    Parameters
    ----------
    findings : sequence of Finding
        Units of one target; the first `MAX_UNITS` are drawn.
    lang : {"zh", "en"}
    """
    drawn = list(findings)[:MAX_UNITS]
    with _style("coverage"):
        figure = Figure(figsize=(7.2, 1.1 + 0.34 * max(len(drawn), 1)), layout="constrained")
        axes = figure.add_subplot()
        rows = np.arange(len(drawn))
        central = np.array([f.installed.central for f in drawn], dtype=float)
        low = np.array([f.installed.low for f in drawn], dtype=float)
        high = np.array([f.installed.high for f in drawn], dtype=float)
        potential = np.array([f.potential.central for f in drawn], dtype=float)
        # Only where roofs were selected: elsewhere planned is installed.
        planned = np.array([f.planned.central if f.planned != f.installed else np.nan for f in drawn], dtype=float)
        axes.barh(rows, np.nan_to_num(potential), color=SOFT, height=0.62, label=_BARS["potential"].pick(lang))
        axes.barh(rows, np.nan_to_num(central), color=INK, height=0.34, label=_BARS["installed"].pick(lang))
        middle, spread = _whiskers(low, central, high)
        axes.errorbar(middle, rows, xerr=spread, fmt="none", ecolor="#111111", elinewidth=1.0, capsize=2.5)
        if np.isfinite(planned).any():
            axes.plot(planned, rows, "D", color=ACCENT, markersize=4.5, label=_BARS["planned"].pick(lang))
        targets = {f.target for f in drawn if f.has_target}
        for target in sorted(targets):
            axes.axvline(
                target,
                color=TARGET,
                linestyle="--",
                linewidth=1.2,
                label=f"{_BARS['target'].pick(lang)} {percent(target)}",
            )
        _write_unknown(axes, drawn, lang)
        axes.set_yticks(rows, [f.label.pick(lang) for f in drawn])
        axes.invert_yaxis()
        tops = np.concatenate([high[np.isfinite(high)], potential[np.isfinite(potential)], [*targets, 0.1]])
        axes.set_xlim(0.0, float(tops.max()) * 1.08)
        axes.xaxis.set_major_formatter(lambda value, _position: f"{value:.0%}")
        axes.xaxis.grid(True, color="#E3E8ED", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.12 - 0.25 / max(len(drawn), 1)),
            ncols=4,
            frameon=False,
            fontsize=8,
        )
        return _svg(figure)


def _write_unknown(axes: Axes, drawn: Sequence[Finding], lang: Lang) -> None:
    """Write the verdict where there is no bar."""
    for row, finding in enumerate(drawn):
        if not finding.coverage.known:
            place: dict[str, Any] = {"xytext": (4, 2), "textcoords": "offset points"}
            axes.annotate(finding.verdict.text.pick(lang), (0.0, row), color="#777777", **place)


def coverage_by_year(years: pd.DataFrame, lang: Lang = "zh") -> str:
    """Return coverage of one unit by year against the target in force, as SVG.

    Parameters
    ----------
    years : DataFrame
        Rows of `tables.TIMELINE` of one unit and coverage.
    lang : {"zh", "en"}
    """
    installed, planned = (years[years["kind"] == kind].sort_values("year") for kind in ("installed", "planned"))
    year = installed["year"].to_numpy(dtype=float)
    central, low, high = (numeric_column(installed, n) for n in ("coverage", "coverage_low", "coverage_high"))
    target = numeric_column(installed, "target")
    with _style("timeline"):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        axes = figure.add_subplot()
        ahead = (installed["state"] == "ahead").to_numpy(dtype=bool)
        colours = np.where(ahead, SOFT, INK)
        axes.bar(year, np.nan_to_num(central), color=colours, width=0.6)
        middle, spread = _whiskers(low, central, high)
        axes.errorbar(year, middle, yerr=spread, fmt="none", ecolor="#111111", elinewidth=1.0, capsize=2.5)
        if len(planned):
            label = Text("with the selected roofs, built at the given rate", "按给定速度实施所选屋顶后").pick(lang)
            axes.plot(
                planned["year"].to_numpy(dtype=float),
                numeric_column(planned, "coverage"),
                "D-",
                color=ACCENT,
                markersize=4,
                linewidth=1.0,
                label=label,
            )
        label = Text("target in force", "当年目标值").pick(lang)
        edges = np.append(year - 0.5, year[-1:] + 0.5)
        axes.stairs(target, edges, baseline=None, color=TARGET, linestyle="--", linewidth=1.3, label=label)
        for colour, text, some in (
            (INK, Text("installed (with bounds)", "已装（含上下限）"), ~ahead),
            (SOFT, Text("installed and scheduled", "已装并计入建设时序"), ahead),
        ):
            if some.any():
                axes.fill_between([], [], color=colour, label=text.pick(lang))
        axes.set_xticks(year, [f"{int(y)}" for y in year])
        tops = [v for v in (*central, *high, *target, *numeric_column(planned, "coverage"), 0.1) if np.isfinite(v)]
        axes.set_ylim(0.0, max(tops) * 1.12)
        axes.yaxis.set_major_formatter(lambda value, _position: f"{value:.0%}")
        axes.yaxis.grid(True, color="#E3E8ED", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False, fontsize=8)
        return _svg(figure)


def static_map(data: ReportData, lang: Lang = "zh") -> str:
    """Return a map of districts and roofs, coloured by specific yield, as SVG with the roofs as one picture in it."""
    districts = data.tables.districts
    districts = districts[(districts["level"] == "district").fillna(False).to_numpy(dtype=bool)]
    roofs = data.tables.roofs
    with _style("map"):
        frame = districts if len(districts) else roofs
        figure = Figure(figsize=(7.2, _map_height(frame)), layout="constrained")
        axes = figure.add_subplot()
        _draw_districts(axes, districts)
        values = numeric_column(roofs, "specific_yield_kwh_kwp")
        shapes = roofs.geometry.to_numpy()
        none = ~np.isfinite(values)
        _draw_shapes(axes, shapes[none], None, NO_DATA_COLOUR)
        some = shapes[~none]
        if len(some):
            low, high = np.percentile(values[~none], [2, 98])
            drawn = _draw_shapes(axes, some, values[~none])
            drawn.set_clim(low, high if high > low else low + 1.0)
            bar = figure.colorbar(drawn, ax=axes, shrink=0.7, pad=0.01, extend="both")
            bar.set_label(Text("kWh/kWp per year", "年等效利用小时数（h）").pick(lang))
            bar.outline.set_visible(False)
        _frame_map(axes, frame, lang)
        return _svg(figure)


def _map_height(frame: gpd.GeoDataFrame) -> float:
    """Height of a map 6 inches wide beside its legend, within what fits a page [inches]."""
    west, south, east, north = (float(b) for b in frame.total_bounds) if len(frame) else (0.0, 0.0, 1.0, 1.0)
    width = max((east - west) * float(np.cos(np.radians((south + north) / 2.0))), 1e-6)
    return float(np.clip(6.0 * 1.15 * (north - south) / width + 0.3, 2.6, 7.5))


def _paths(shape: object) -> list[MplPath]:
    """Polygons as paths with holes."""
    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        rings = [np.asarray(ring.coords)[:, :2] for ring in (part.exterior, *part.interiors)]
        codes = [[MplPath.MOVETO, *[MplPath.LINETO] * (len(ring) - 2), MplPath.CLOSEPOLY] for ring in rings]
        out.append(MplPath(np.concatenate(rings), np.concatenate(codes)))
    return out


def _draw_shapes(axes: Axes, shapes: np.ndarray, values: np.ndarray | None, colour: str = INK) -> PatchCollection:
    patches, picked = [], []
    for k, shape in enumerate(shapes):
        for path in _paths(shape) if shape is not None else []:
            patches.append(PathPatch(path))
            picked.append(k)
    collection = PatchCollection(patches, rasterized=True, linewidths=0.3)
    if values is None:
        collection.set_facecolor(colour)
        collection.set_edgecolor(colour)
    else:
        collection.set_cmap(LinearSegmentedColormap.from_list("yield", YIELD_COLOURS))
        collection.set_array(values[picked])
        # Without this, thin edges keep the default colour and small roofs look black.
        collection.set_edgecolor("face")
    axes.add_collection(collection)
    return collection


def _draw_districts(axes: Axes, districts: gpd.GeoDataFrame) -> None:
    for shape, name in zip(districts.geometry, districts["unit_name"], strict=True):
        if shape is None or shape.is_empty:
            continue
        for path in _paths(shape):
            axes.add_patch(PathPatch(path, facecolor="#F4F6F8", edgecolor="#5C6B7A", linewidth=0.9))
        point = shape.representative_point()
        axes.annotate(
            str(name),
            (point.x, shape.bounds[3]),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            color="#33414E",
            weight="bold",
            fontsize=9,
            zorder=5,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
        )


def _frame_map(axes: Axes, frame: gpd.GeoDataFrame, lang: Lang) -> None:
    """Set extent and aspect, add a scale bar and north."""
    bounds = frame.total_bounds if len(frame) else np.array([0.0, 0.0, 1.0, 1.0])
    west, south, east, north = (float(b) for b in bounds)
    pad = 0.03 * max(east - west, north - south, 1e-4)
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - 2.5 * pad, north + pad)
    cosine = float(np.cos(np.radians((south + north) / 2.0)))
    axes.set_aspect(1.0 / cosine)
    axes.set_axis_off()
    metres = (east - west) * 111_320.0 * cosine
    length = float(significant(metres / 5.0, 1)) if metres > 0 else 1.0
    width = length / (111_320.0 * cosine)
    y = south - 1.4 * pad
    axes.plot([west, west + width], [y, y], color="#222222", linewidth=2.0, solid_capstyle="butt")
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.annotate(label, (west + width, y), xytext=(4, -3), textcoords="offset points", fontsize=8)
    axes.annotate(
        Text("↑ N", "↑ 北").pick(lang), (1.0, 0.0), xycoords="axes fraction", ha="right", va="bottom", fontsize=9
    )
