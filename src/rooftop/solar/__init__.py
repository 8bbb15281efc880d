"""From the sun to the yield: sky, horizons, cumulative tables, energy."""
