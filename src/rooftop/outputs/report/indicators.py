"""How people read the indicators: sections of the report, CSV files, sheets; a new kind is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rooftop.core.lang import Lang, Text
from rooftop.outputs.bundle import ReportData
from rooftop.outputs.report.grids import Block
from rooftop.outputs.report.ledgers import ledger_blocks, with_carbon
from rooftop.outputs.report.substitution import substitution_blocks
from rooftop.outputs.store import write_csv_table
from rooftop.tables import CAPACITY, PV_OR_THERMAL, QUOTAS, SUBSTITUTION, Table


@dataclass(frozen=True, kw_only=True)
class IndicatorFile:
    """A table of an indicator, as a CSV file and as a sheet.

    Parameters
    ----------
    table : Table
    label : Text
        What it holds.
    energy_column : str, optional
        kWh a year for which avoided CO2 is added to the file.
    """

    table: Table
    label: Text
    energy_column: str | None = None

    @property
    def name(self) -> str:
        """Name of the CSV file."""
        return f"{self.table.name}.csv"


@dataclass(frozen=True, kw_only=True)
class IndicatorSection:
    """A section of the report.

    Parameters
    ----------
    heading : Text
    blocks : callable
        Its tables, each with title and lead; none where the pack has no such target.
    lead_style : str
        CSS class of the leads.
    """

    heading: Text
    blocks: Callable[[ReportData, Lang], list[Block]]
    lead_style: str = ""


FILES = (
    IndicatorFile(table=SUBSTITUTION, label=Text("renewable substitution rate", "可再生能源替代率")),
    IndicatorFile(table=PV_OR_THERMAL, label=Text("PV or hot water, roof by roof", "逐屋顶宜电宜热比较")),
    IndicatorFile(
        table=QUOTAS,
        label=Text("quotas of the plan over the stock", "规划任务量与存量建筑对照"),
        energy_column="added_kwh",
    ),
    IndicatorFile(
        table=CAPACITY,
        label=Text("capacity against the plan's targets", "装机容量台账"),
        energy_column="annual_kwh",
    ),
)

SECTIONS = (
    IndicatorSection(heading=Text("Renewable substitution", "可再生能源替代率"), blocks=substitution_blocks),
    IndicatorSection(heading=Text("Quotas and capacity", "任务量与容量台账"), blocks=ledger_blocks, lead_style="note"),
)


def write_indicators(folder: Path, data: ReportData) -> list[Path]:
    """Write a CSV file (UTF-8 with BOM) of every indicator that the pack has."""
    frames = {file: data.indicator(file.table) for file in FILES}
    return [
        write_csv_table(folder / file.name, _with_carbon(frame, file, data))
        for file, frame in frames.items()
        if not frame.empty
    ]


def _with_carbon(frame: pd.DataFrame, file: IndicatorFile, data: ReportData) -> pd.DataFrame:
    return frame if file.energy_column is None else with_carbon(frame, file.energy_column, data.campaign.factor)
