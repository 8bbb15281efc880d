"""Everything the workbook, the report and the lists are written from, gathered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from rooftop.campaign.candidates import Campaign, plan_campaign
from rooftop.config import Config, SubstitutionOptions
from rooftop.core.notices import Notice, Provenance
from rooftop.core.privacy import masked
from rooftop.outputs.report.findings import Finding, findings
from rooftop.outputs.report.method import Assumption, assumptions
from rooftop.outputs.store import RunTables
from rooftop.scene.equator import SideRules
from rooftop.tables import Table
from rooftop.targets import Stock
from rooftop.targets.indicators import Finished, indicator_tables
from rooftop.targets.models import Pack


@dataclass(frozen=True)
class ReportData:
    """Inputs of every writer for people; made by `report_data`.

    Parameters
    ----------
    title : str
    tables : RunTables
        Roofs without withheld uses, geometries in OGC:CRS84; names as they may be shown (`rooftop.core.privacy`).
    pack : Pack or None
    campaign : Campaign
        Candidates, selections, prices, factor.
    findings : tuple of Finding
    assumptions : tuple of Assumption
    notices : tuple of Notice
    provenance : tuple of Provenance
    synthetic : bool
        The inputs are made up; every output says so.
    version : str
        Of the program.
    indicators : mapping of str to DataFrame
        Tables of `rooftop.targets.indicators`, by name.
    options : SubstitutionOptions
        What they rest on, of the configuration.
    """

    title: str
    tables: RunTables
    pack: Pack | None
    campaign: Campaign
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...] = ()
    notices: tuple[Notice, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    synthetic: bool = False
    version: str = ""
    indicators: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    options: SubstitutionOptions = field(default_factory=SubstitutionOptions)

    def indicator(self, table: Table) -> pd.DataFrame:
        """Return the table of an indicator; empty without a pack, or where it has no such target."""
        return self.indicators.get(table.name, pd.DataFrame(columns=table.names))

    @property
    def inventory(self) -> bool:
        """Whether any roof states its existing PV, be it zero."""
        return bool(self.tables.roofs["existing_pv_kwp"].notna().any())

    def units(self, level: str) -> pd.DataFrame:
        """Return the rows of `tables.DISTRICTS` of one level, without geometry."""
        districts = self.tables.districts
        rows = districts[(districts["level"] == level).fillna(False).to_numpy(dtype=bool)]
        return pd.DataFrame(rows.drop(columns="geometry", errors="ignore")).reset_index(drop=True)

    def of(self, level: str, unit_id: str) -> list[Finding]:
        """Return the findings of one unit, a target each."""
        return [f for f in self.findings if f.level == level and f.unit_id == unit_id]


def report_data(
    tables: RunTables,
    campaign: Campaign,
    *,
    config: Config | None = None,
    notices: Sequence[Notice] = (),
    provenance: Sequence[Provenance] = (),
    version: str = "",
    sides: Sequence[SideRules] = (),
) -> ReportData:
    """Gather what people are to read about a run.

    Parameters
    ----------
    tables : RunTables
    campaign : Campaign
        Planned for these tables, see `campaign_of`.
    config : Config, optional
        Title, assumptions, whether synthetic, whether personal names may be shown.
    notices, provenance : sequence
    version : str
    sides : sequence of SideRules
        What the run found for the latitude of its roofs.
    """
    stock, pack = campaign.stock, campaign.pack
    if config is None or not config.outputs.personal_names:
        tables = replace(tables, roofs=masked(tables.roofs))
        campaign = replace(campaign, candidates=masked(campaign.candidates))
    options = SubstitutionOptions() if config is None else config.substitution
    indicators = {}
    if stock is not None:
        finished = Finished(stock=stock, planes=pd.DataFrame(tables.planes), planned=campaign.planned, options=options)
        indicators = indicator_tables(finished)
    return ReportData(
        title="" if config is None else config.title or config.name,
        tables=tables,
        pack=pack,
        campaign=campaign,
        findings=findings(tables.coverage, pack),
        assumptions=assumptions(config, campaign, sides),
        notices=tuple(notices),
        provenance=tuple(provenance),
        synthetic=config is not None and config.synthetic,
        version=version,
        indicators=indicators,
        options=options,
    )


def campaign_of(tables: RunTables, pack: Pack | None) -> Campaign:
    """Plan the campaign of a finished run again from its tables."""
    return plan_campaign(tables.roofs, tables.coverage, None if pack is None else stock_of(tables, pack))


def stock_of(tables: RunTables, pack: Pack) -> Stock:
    """Join the tables of a run to the units and the plan."""
    return Stock.from_tables(tables.roofs, tables.memberships, tables.districts, pack)
