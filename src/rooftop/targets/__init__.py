"""Policy packs, building scope, coverage with bounds, and what falls short."""

from rooftop.targets.capacity import capacity_ledger
from rooftop.targets.coverage import CoverageBook, coverage_table
from rooftop.targets.ledger import coverage_notices, shortfalls
from rooftop.targets.listing import definition_rows, target_lines, target_rows, value_label
from rooftop.targets.models import Pack
from rooftop.targets.packs import list_packs, load_pack, pack_provenance
from rooftop.targets.quotas import quota_table
from rooftop.targets.scope import mark_new
from rooftop.targets.stock import Stock
from rooftop.targets.substitution import substitution_notices, substitution_table
from rooftop.targets.thermal import pv_or_thermal

__all__ = [
    "CoverageBook",
    "Pack",
    "Stock",
    "capacity_ledger",
    "coverage_notices",
    "coverage_table",
    "definition_rows",
    "list_packs",
    "load_pack",
    "mark_new",
    "pack_provenance",
    "pv_or_thermal",
    "quota_table",
    "shortfalls",
    "substitution_notices",
    "substitution_table",
    "target_lines",
    "target_rows",
    "value_label",
]
