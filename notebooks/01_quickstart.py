# %% [markdown]
# # From a configuration to a map and a table
#
# This walk uses the bundled **synthetic** city: nothing in it exists. With your own data, only the first cell changes.
# The file is a plain script in the percent format: Jupyter (with jupytext), VS Code and PyCharm open it as a notebook,
# and `python notebooks/01_quickstart.py` runs it as it is.

# %%
import tempfile
from pathlib import Path

import rooftop
from rooftop.core.resources import demo_dir

configuration = demo_dir() / "rooftop.yaml"
out = Path(tempfile.mkdtemp(prefix="rooftop-"))

# %% [markdown]
# ## Run
# One call reads the footprints, the boundaries and the irradiance, computes every roof, and writes tables, map, report
# and candidate lists. `districts` limits the work; buildings elsewhere still cast their shadows.

# %%
result = rooftop.run(configuration, out=out, districts=("990101",), lang="en")
roofs = result.tables.roofs
print(f"{len(roofs)} roofs, {roofs.capacity_kwp.sum():,.0f} kWp, {roofs.annual_kwh.sum() / 1e6:,.2f} GWh a year")

# %% [markdown]
# ## Roofs
# One row per building; no roof disappears. `status` says whether a roof is usable, `reasons` says why not.

# %%
print(roofs["status"].value_counts().to_string())
columns = ["building_use", "roof_type", "gross_area_m2", "capacity_kwp", "specific_yield_kwh_kwp", "shading_loss"]
best = roofs[roofs.status != "excluded"].nlargest(5, "annual_kwh")
print(best[columns].round(2).to_string(index=False))

# %% [markdown]
# ## Does the district meet its target?
# The plans leave the definition open, so all nine combinations of numerator and denominator are there. The pack marks
# its own as default. `coverage_low` and `coverage_high` bound what the unknown classes and years could do to it.

# %%
coverage = result.tables.coverage
front = coverage[coverage.is_default & (coverage.level == "district")]
shown = ["unit_name", "kind", "coverage", "coverage_low", "coverage_high", "target", "attained"]
print(front[shown].to_string(index=False))

# %%
potential = coverage[
    (coverage.level == "district")
    & (coverage.kind == "potential")
    & coverage.building_group.isin(front.building_group)
    & coverage.scope_reading.isin(front.scope_reading)
    & coverage.cohort.isin(front.cohort)
    & coverage.aggregation.isin(front.aggregation)
]
matrix = potential.pivot_table(index="numerator", columns="denominator", values="coverage")
print((100.0 * matrix).round(1).to_string())

# %% [markdown]
# ## Look at it
# The map is one HTML file that needs no network; the report opens with one page an official can use.

# %%
print(result.products.map)
print(result.products.report)

# %% [markdown]
# ## The parts, without the pipeline
# A wall 10.5 m high, its face 10.5 m south of a point: the horizon towards the south is 45°.

# %%
import numpy as np

dsm = np.zeros((41, 41))
dsm[30:, :] = 10.5
horizon = rooftop.horizons(dsm, 1.0, rows=[19], cols=[20], n_azimuth=72)
print(f"horizon to the south: {horizon[0, 36]:.1f}°, sky view factor: {rooftop.sky_view(horizon)[0]:.3f}")
