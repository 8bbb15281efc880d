"""What a file is that holds no polygons: a table, a raster, a cloud of points, an archive; and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rooftop.core.errors import InputError
from rooftop.core.lang import Text

_POLYGONS = Text(
    "polygons: GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet",
    "面图层：GeoPackage、Shapefile、GeoJSON、FlatGeobuf、GeoParquet",
)
_VECTOR = {".shp", ".gpkg", ".geojson", ".fgb", ".parquet", ".geoparquet", ".gdb", ".tab", ".mif", ".kml", ".gml"}
_CITYJSON_BYTES = 4096


@dataclass(frozen=True)
class _Kind:
    """What files of some endings are, and what to do with them where polygons are asked for."""

    suffixes: frozenset[str]
    what: Text
    mend: Text


def _kind(suffixes: str, what: Text, mend: Text) -> _Kind:
    return _Kind(frozenset(f".{suffix}" for suffix in suffixes.split()), what, mend)


_TABLE = _kind(
    "xlsx xls xlsm ods et csv tsv dbf",
    Text("this is a table: it has no polygons", "这是表格，没有面图形"),
    Text(
        "give the file with the polygons; join a table to it by its ids first (QGIS: layer properties, Joins) and save "
        "as GeoPackage. Declared PV projects in a table go to `rooftop audit`, dates of PV to inputs.schedule",
        "请提供含面图形的文件；表格须先按编号关联到面图层（QGIS：图层属性→连接），再另存为 GeoPackage。"
        "光伏申报项目表请用 rooftop audit，并网时序表请用 inputs.schedule",
    ),
)
_KINDS = (
    _kind(
        "tif tiff vrt img asc nc grd jp2 png jpg jpeg bil ecw sid hdf h5",
        Text("this is a raster: it has no polygons", "这是栅格，没有面图形"),
        Text(
            "give the file with the polygons. Irradiance goes to inputs.irradiance.ghi (init --irradiance), elevation "
            "to inputs.dsm and inputs.dtm",
            "请提供含面图形的文件。辐照栅格填入 inputs.irradiance.ghi（init --irradiance），"
            "高程填入 inputs.dsm、inputs.dtm",
        ),
    ),
    _kind(
        "las laz e57 ply pcd xyz pts",
        Text("this is a point cloud: it has no polygons", "这是点云，没有面图形"),
        Text(
            "give the file with the polygons; LAS and LAZ go to inputs.dsm and inputs.dtm",
            "请提供含面图形的文件；LAS、LAZ 点云填入 inputs.dsm、inputs.dtm",
        ),
    ),
    _kind(
        "dwg dgn skp ifc rvt 3ds obj fbx glb gltf",
        Text("this is a drawing or a model, not geodata", "这是图纸或三维模型，不是地理数据"),
        Text(
            "turn the closed outlines into polygons with a CRS (save as DXF, open it in QGIS) and save as GeoPackage",
            "请将闭合轮廓转为带坐标系的面（另存为 DXF 后在 QGIS 中打开），再另存为 GeoPackage",
        ),
    ),
    _kind(
        "7z rar gz tgz tar bz2 xz",
        Text("this is an archive", "这是压缩包"),
        Text("unpack it and give the file inside", "请先解压，再指定其中的文件"),
    ),
    _kind(
        "qgz qgs mxd aprx lyr lyrx qlr",
        Text("this is a map project, not the data", "这是地图工程文件，不是数据"),
        Text("give the file that its layer shows", "请指定其图层所引用的数据文件"),
    ),
    _kind(
        "pdf doc docx ppt pptx wps txt md",
        Text("this is a document, not geodata", "这是文档，不是地理数据"),
        Text("give the file with the polygons", "请提供含面图形的文件"),
    ),
    _kind(
        "shx prj cpg sbn sbx qmd",
        Text("this is a part of a shapefile", "这是 Shapefile 的附属文件"),
        Text("give the .shp beside it", "请指定同目录下的 .shp 文件"),
    ),
)
_MODEL = _Kind(
    frozenset(),
    Text("this is a roof model: it has no polygons of its own", "这是屋顶模型（CityJSON），不能作为面图层"),
    Text(
        "give the file with the polygons; the model goes to inputs.roofs",
        "请提供含面图形的文件；模型填入 inputs.roofs",
    ),
)


def refuse_other_kinds(path: Path, role: str) -> None:
    """Refuse a file that is known to hold no polygons, before GDAL is asked, with what to do with it.

    Parameters
    ----------
    path : Path
        That exists.
    role : str
        Configuration key or option the file fills, for messages.

    Raises
    ------
    InputError
        The file is empty, a folder without geodata, or of another kind.
    """
    if path.is_dir():
        _refuse_bare_folder(path, role)
        return
    if path.stat().st_size == 0:
        raise InputError(
            Text("the file is empty", "文件为空"),
            where=_where(path, role),
            found=Text("0 bytes", "0 字节"),
            expected=_POLYGONS,
            mend=Text("copy or export it again", "请重新复制或导出"),
        )
    suffix = path.suffix.lower()
    for kind in (*_KINDS, _TABLE):
        # A CSV may hold outlines as text; whether it does is seen when it is opened.
        if suffix in kind.suffixes and suffix not in (".csv", ".tsv", ".dbf"):
            raise _refusal(kind, path, role)
    if suffix in (".json", ".jsonl", ".cityjson") and _is_cityjson(path):
        raise _refusal(_MODEL, path, role)


def bare_table_error(path: Path, role: str) -> InputError:
    """Return the error for a file that GDAL opens but that has no geometry."""
    return _refusal(_TABLE, path, role)


def _refusal(kind: _Kind, path: Path, role: str) -> InputError:
    return InputError(kind.what, where=_where(path, role), found=path.name, expected=_POLYGONS, mend=kind.mend)


def _where(path: Path, role: str) -> str:
    return f"{role}: {path}" if role else str(path)


def _is_cityjson(path: Path) -> bool:
    with path.open("rb") as handle:
        return b'"CityJSON' in handle.read(_CITYJSON_BYTES)


def _refuse_bare_folder(path: Path, role: str) -> None:
    if path.suffix.lower() == ".gdb":
        return
    inside = sorted(p.name for p in path.iterdir() if not p.name.startswith("."))
    layers = [name for name in inside if Path(name).suffix.lower() in _VECTOR]
    if layers and all(Path(name).suffix.lower() == ".shp" for name in layers):
        return  # GDAL opens a folder of shapefiles as layers
    known = ", ".join((layers or inside)[:5])
    raise InputError(
        Text("this is a folder, not a file", "这是文件夹，不是文件"),
        where=_where(path, role),
        found=known or Text("an empty folder", "空文件夹"),
        expected=_POLYGONS,
        mend=Text(f"give one of its files: {layers[0]}", f"请指定其中的文件：{layers[0]}")
        if layers
        else Text("give the file with the polygons", "请提供含面图形的文件"),
    )
