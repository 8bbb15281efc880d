"""Policy packs, building scope, coverage with bounds, and what falls short."""

from rooftop.targets.coverage import coverage_table
from rooftop.targets.models import Pack
from rooftop.targets.packs import list_packs, load_pack, pack_provenance
from rooftop.targets.scope import mark_new

__all__ = ["Pack", "coverage_table", "list_packs", "load_pack", "mark_new", "pack_provenance"]
