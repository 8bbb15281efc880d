"""What a run writes: tables, rasters, maps, reports and candidate lists."""
