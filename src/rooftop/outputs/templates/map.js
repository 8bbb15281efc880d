/* The page behind the map. Every text from the data becomes a text node: nothing here writes markup. */
function rooftopMap(map, baseLayers) {
  "use strict";
  const page = JSON.parse(document.getElementById("rooftop-data").textContent);
  const { texts, labels, style } = page;
  const locale = page.lang === "zh" ? "zh-CN" : "en";
  const byId = (id) => document.getElementById(id);
  const core = {}; /* what panel and planes share with this file; filled at the end */

  /* ---- small helpers ---------------------------------------------------------------------------------- */
  function node(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    for (const child of children) {
      if (child !== null && child !== undefined && child !== "") element.append(child);
    }
    return element;
  }
  const number = (value) => (value === null || value === undefined ? "—" : value.toLocaleString(locale, { maximumFractionDigits: 3 }));
  const withUnit = (value, unit) => (value === null ? "—" : `${number(value)} ${unit}`);
  const label = (code, group) => {
    const key = group ? `${group}:${code}` : code;
    return Object.prototype.hasOwnProperty.call(labels, key) ? labels[key] : code;
  };

  /* As many digits as it takes to stand on the right side of the target: 49.8 % is not a fulfilled 50 %. */
  function percent(share, target, way) {
    if (share === null) return "—";
    const round = way === "down" ? Math.floor : way === "up" ? Math.ceil : Math.round;
    const side = (value) => Math.sign(Math.round((value - target) * 1e6));
    for (let digits = Math.abs(share) < 0.0995 ? 1 : 0; ; digits += 1) {
      const scale = 100 * 10 ** digits;
      const rounded = round(Math.round(share * scale * 1e6) / 1e6) / scale;
      if (digits === 4 || target === null || target === undefined || way || side(rounded) === side(share)) {
        const shown = (rounded * 100).toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
        return share === 0 ? "0%" : `${shown}%`;
      }
    }
  }

  function decodeRing(flat, origin) {
    const out = [];
    let x = origin[0];
    let y = origin[1];
    for (let k = 0; k < flat.length; k += 2) {
      x += flat[k];
      y += flat[k + 1];
      out.push([y / 1e6, x / 1e6]);
    }
    return out;
  }
  function decodeShape(shape, origin) {
    if (typeof shape[0] === "number") return decodeRing(shape, origin);
    return shape.map((rings) => rings.map((ring) => decodeRing(ring, origin)));
  }

  /* ---- units: districts, towns, zones ----------------------------------------------------------------- */
  const units = page.units;
  const cover = page.coverage;
  const nChoices = cover.choices.length;
  const FIELD = {};
  ["coverage", "low", "high", "buildings", "unknown", "gapArea", "gapKwp", "attained", "target", "year", "isDefault"].forEach((name, k) => {
    FIELD[name] = 1 + nChoices + k;
  });
  const unitKey = (id, level) => `${level}\u0000${id}`;
  const coverUnit = new Map(cover.units.map((unit, k) => [unitKey(unit[0], unit[2]), k]));
  const rowOf = new Map(cover.rows.map((row) => [row.slice(0, 1 + nChoices).join("|"), row]));
  const levels = [...new Set(units.level)].filter((level) => units.level.some((l, k) => l === level && units.shape[k]));
  const state = { choice: cover.default.slice(), level: levels.includes("district") ? "district" : levels[0] };

  const rowFor = (coverIndex) => (coverIndex === undefined ? undefined : rowOf.get([coverIndex, ...state.choice].join("|")));
  const rowOfUnit = (k) => rowFor(coverUnit.get(unitKey(units.id[k], units.level[k])));
  const shareOf = (row) => (row ? row[FIELD.coverage] : null);
  const choiceAt = (name) => cover.choices.findIndex((choice) => choice.name === name);
  const chosen = (row, name) => cover.choices[choiceAt(name)].values[row[1 + choiceAt(name)]];
  /* A share of buildings is not measured against the value that each building is to reach. */
  const targetOf = (row) => (chosen(row, "aggregation") === "pooled" ? row[FIELD.target] : null);
  const nothing = (row) => (row[FIELD.buildings] || row[FIELD.unknown] ? texts.no_data : texts.no_buildings);
  const shareText = (row) => (shareOf(row) === null ? nothing(row) : percent(shareOf(row), targetOf(row)));
  const canvas = L.canvas({ padding: 0.4, tolerance: 3 });
  const unitLayer = L.featureGroup();
  const labelLayer = L.layerGroup();
  const polygonOf = new Map();

  function coverageColour(share) {
    if (share === null || share === undefined) return style.noData;
    let k = 0;
    while (k < style.coverageBreaks.length && share >= style.coverageBreaks[k] - 1e-9) k += 1;
    return style.coverageColours[k];
  }
  function unitStyle(k) {
    const near = map.getZoom() >= NEAR_ZOOM;
    const fill = coverageColour(shareOf(rowOfUnit(k)));
    return { color: "#2b4a68", weight: near ? 2.2 : 1.4, opacity: 0.9, fillColor: fill, fillOpacity: near ? 0.28 : 0.75 };
  }
  function judged(answer, kind) {
    return page.verdicts[kind === "potential" ? "potential" : "other"][answer];
  }
  function statement(row) {
    const answer = row[FIELD.attained];
    if (answer === null) return null;
    const verdict = judged(answer, chosen(row, "kind"));
    return node("span", `rt-tag rt-${verdict.tone}`, verdict.text);
  }
  function rangeText(row) {
    const [low, high, target] = [row[FIELD.low], row[FIELD.high], targetOf(row)];
    if (low === null || high === null || low === high) return "";
    return `${percent(low, target, "down")}–${percent(high, target, "up")}`;
  }
  function definitionText() {
    const [top, bottom] = ["numerator", "denominator"].map((name) => cover.choices[choiceAt(name)].labels[state.choice[choiceAt(name)]]);
    return `${top} ÷ ${bottom}`;
  }

  /* The definition decides where a verdict changes between the numerators and denominators, all else as chosen. */
  const DEFINITION = ["numerator", "denominator"].map(choiceAt);
  function verdicts() {
    const found = new Map();
    for (const row of cover.rows) {
      if (row[FIELD.attained] === null || state.choice.some((value, k) => !DEFINITION.includes(k) && row[1 + k] !== value)) continue;
      if (!found.has(row[0])) found.set(row[0], { yes: 0, no: 0, unknown: 0 });
      found.get(row[0])[row[FIELD.attained]] += 1;
    }
    return found;
  }
  const differs = (counts) => counts !== undefined && Object.values(counts).filter((n) => n > 0).length > 1;
  function verdictText(counts) {
    const kind = cover.choices[choiceAt("kind")].values[state.choice[choiceAt("kind")]];
    const total = counts.yes + counts.no + counts.unknown;
    const parts = Object.entries(counts).filter(([, n]) => n).map(([answer, n]) => `${judged(answer, kind).text} ${n}`);
    return `${total} ${texts.n_definitions}${parts.join(" · ")}`;
  }

  function buildUnits() {
    unitLayer.clearLayers();
    polygonOf.clear();
    units.shape.forEach((shape, k) => {
      if (!shape || units.level[k] !== state.level) return;
      const polygon = L.polygon(decodeShape(shape, units.origin), { renderer: canvas, ...unitStyle(k) });
      polygon.on("click", (event) => openUnit(k, event.latlng));
      polygonOf.set(k, polygon);
      unitLayer.addLayer(polygon);
    });
  }
  function paintUnits() {
    polygonOf.forEach((polygon, k) => polygon.setStyle(unitStyle(k)));
    if (map.hasLayer(unitLayer)) unitLayer.bringToBack();
    labelLayer.clearLayers();
    polygonOf.forEach((polygon, k) => {
      if (!units.label[k]) return;
      const row = rowOfUnit(k);
      const value = row ? shareText(row) : "";
      const content = node("div", "", units.name[k] || units.id[k], value ? node("small", "", value) : null);
      const [x, y] = units.label[k];
      labelLayer.addLayer(
        L.tooltip({ permanent: true, direction: "center", className: "rt-label", interactive: false, opacity: 1 }).setLatLng([y, x]).setContent(content)
      );
    });
    showLabels();
  }
  function showLabels() {
    const far = map.getZoom() < NEAR_ZOOM + 1 && polygonOf.size <= 60;
    labelLayer.eachLayer((tooltip) => {
      const element = tooltip.getElement();
      if (element) element.style.display = far ? "" : "none";
    });
  }
  /* An open popup follows the choice: panel and popup never show different figures. */
  let shownUnit = null;
  function refreshPopup() {
    if (shownUnit === null) return;
    if (polygonOf.has(shownUnit)) openUnit(shownUnit, popup.getLatLng());
    else map.closePopup(popup);
  }
  function openUnit(k, latlng) {
    const row = rowOfUnit(k);
    let list = node("dl");
    const add = (name, value) => value && list.append(node("dt", "", name), node("dd", "", value));
    const box = node("div", "rt-pop", node("h4", "", units.name[k] || units.id[k]));
    if (row) {
      const big = node("b", "", shareText(row));
      const kind = choiceAt("kind");
      box.append(node("p", "rt-where", `${cover.choices[kind].labels[state.choice[kind]]} · ${definitionText()}`));
      box.append(node("div", "rt-big", node("div", "", big, shareOf(row) === null ? null : statement(row))));
      add(texts.range, rangeText(row));
      add(texts.target, row[FIELD.target] === null ? "" : percent(row[FIELD.target], null));
      add(texts.gap, gapText(row));
      const counts = verdicts().get(coverUnit.get(unitKey(units.id[k], units.level[k])));
      add(texts.by_definition, differs(counts) ? verdictText(counts) : "");
      add(texts.n_buildings, number(row[FIELD.buildings]));
      add(texts.n_unknown, row[FIELD.unknown] ? number(row[FIELD.unknown]) : "");
    }
    box.append(list);
    list = node("dl");
    box.append(node("h5", "", texts.all_roofs), list);
    add(texts.roof_count, number(units.n[k]));
    add(texts.capacity, withUnit(units.kwp[k], "kWp"));
    add(texts.annual, withUnit(units.energy[k], texts.annual_unit));
    add(texts.existing, units.existing[k] === null ? texts.not_known : withUnit(units.existing[k], "kWp"));
    outline.remove();
    showPopup(latlng, box);
    shownUnit = k;
  }
  function gapText(row) {
    const [area, kwp] = [row[FIELD.gapArea], row[FIELD.gapKwp]];
    if (!area && !kwp) return "";
    return [area ? withUnit(area, texts.area_unit) : "", kwp ? withUnit(kwp, "kWp") : ""].filter(Boolean).join(" · ");
  }

  /* ---- roofs ------------------------------------------------------------------------------------------ */
  const roofs = page.roofs;
  const STATUS = page.statuses;
  const roofLayers = STATUS.map(() => L.featureGroup());
  const drawnRoofs = new Map();
  const text = (name, k) => (roofs[name].index[k] < 0 ? null : roofs[name].values[roofs[name].index[k]]);

  function yieldColour(value) {
    if (value === null) return style.noData;
    let k = 0;
    while (k < style.yieldBreaks.length && value >= style.yieldBreaks[k]) k += 1;
    return style.yieldColours[k];
  }
  function drawRoof(k) {
    if (drawnRoofs.has(k) || !roofs.shape[k]) return;
    const kind = STATUS[roofs.status[k]];
    const polygon = L.polygon(decodeShape(roofs.shape[k], roofs.origin), {
      renderer: canvas, smoothFactor: 0.6, fillColor: yieldColour(roofs.yield[k]), ...style.status[kind],
    });
    polygon.roofIndex = k;
    drawnRoofs.set(k, polygon);
    roofLayers[roofs.status[k]].addLayer(polygon);
  }
  function dropRoof(k) {
    roofLayers[roofs.status[k]].removeLayer(drawnRoofs.get(k));
    drawnRoofs.delete(k);
  }

  /* Many roofs: only those in view, and only when near enough to be told apart. */
  const NEAR_ZOOM = 15;
  const CELL = 0.01;
  const cells = new Map();
  const cellOf = (lon, lat) => `${Math.floor(lon / CELL)},${Math.floor(lat / CELL)}`;
  function fileRoofs() {
    for (let k = 0; k < roofs.n; k += 1) {
      const shape = roofs.shape[k];
      if (!shape) continue;
      const first = typeof shape[0] === "number" ? shape : shape[0][0];
      const key = cellOf((roofs.origin[0] + first[0]) / 1e6, (roofs.origin[1] + first[1]) / 1e6);
      if (!cells.has(key)) cells.set(key, []);
      cells.get(key).push(k);
    }
  }
  function showRoofsInView() {
    const near = map.getZoom() >= NEAR_ZOOM;
    const wanted = new Set();
    if (near) {
      const view = map.getBounds().pad(0.3);
      for (let i = Math.floor(view.getWest() / CELL); i <= Math.floor(view.getEast() / CELL); i += 1) {
        for (let j = Math.floor(view.getSouth() / CELL); j <= Math.floor(view.getNorth() / CELL); j += 1) {
          (cells.get(`${i},${j}`) || []).forEach((k) => wanted.add(k));
        }
      }
    }
    [...drawnRoofs.keys()].forEach((k) => wanted.has(k) || dropRoof(k));
    wanted.forEach(drawRoof);
    if (map.hasLayer(unitLayer)) unitLayer.bringToBack();
  }

  /* One line over the map says what a nearer look would show. */
  const hints = [];
  function showHint() {
    const wanted = hints.find((hint) => hint.layer() && map.getZoom() < hint.zoom);
    byId("rt-hint").hidden = wanted === undefined;
    if (wanted !== undefined) byId("rt-hint").textContent = wanted.text;
  }
  map.on("zoomend", showHint);

  const popup = L.popup({ maxWidth: 340, autoPanPaddingTopLeft: [12, 12], autoPanPaddingBottomRight: [12, 30] });
  const outline = L.polygon([], { renderer: canvas, interactive: false, fill: false, color: "#111", weight: 3 });
  popup.on("remove", () => {
    outline.remove();
    shownUnit = null;
  });

  function roofPopup(k) {
    const big = (value, unit, name) => node("div", "", node("b", "", number(value), value === null ? null : node("small", "", unit)), node("span", "", name));
    const kind = STATUS[roofs.status[k]];
    const list = node("dl");
    const add = (name, value) => value !== null && value !== "" && list.append(node("dt", "", name), node("dd", "", value));
    const codes = roofs.reasons.index[k] || [];
    const reasons = codes.map((code) => label(roofs.reasons.values[code], "reason")).join(page.lang === "zh" ? "；" : "; ");
    const place = [text("district_name", k), text("town_name", k)].filter(Boolean).join(" · ");
    const box = node("div", "rt-pop", node("h4", "", roofs.name[k] || roofs.id[k]), node("p", "rt-where", place));
    if (kind !== "ok") {
      box.append(node("span", `rt-tag rt-status ${kind === "excluded" ? "rt-open" : "rt-bad"}`, label(kind, "status")));
    }
    if (kind !== "excluded") {
      box.append(node("div", "rt-big", big(roofs.kwp[k], "kWp", texts.capacity_short), big(roofs.energy[k], texts.annual_unit, texts.annual),
        big(roofs.yield[k], texts.hours_unit, texts.yield_short)));
    }
    const loss = roofs.loss[k];
    const use = text("building_use", k);
    const known = (name) => (text(name, k) === null ? null : label(text(name, k), "answer"));
    add(texts.building_id, roofs.id[k]);
    add(texts.building_use, use === null ? null : label(use, "use"));
    add(texts.use_source, text("use_source", k));
    add(texts.is_public_institution, known("is_public_institution"));
    const owner = roofs.owner[k];
    add(texts.owner_name, owner === 1 ? texts.owner_withheld : owner === 2 ? texts.owner_unknown : owner);
    add(texts.address, roofs.address[k]);
    if (roofs.completion[k] !== null) add(texts.completion_date, roofs.completion[k]);
    else add(texts.year_built, roofs.year[k] === null ? null : String(roofs.year[k]));
    add(texts.is_new, known("is_new"));
    add(texts.roof_type, text("roof_type", k) === null ? null : label(text("roof_type", k), "roof"));
    add(texts.height_m, roofs.height[k] === null ? null : number(roofs.height[k]));
    add(texts.roof_area, withUnit(roofs.gross[k], texts.area_unit));
    if (kind !== "excluded") {
      add(texts.installable, withUnit(roofs.installable[k], texts.area_unit));
      add(texts.shading_loss, loss === null ? "—" : loss < 0.5 ? (loss > 0 ? "<1%" : "0%") : `${Math.round(loss)}%`);
    }
    add(texts.existing, roofs.existing[k] === null ? null : withUnit(roofs.existing[k], "kWp"));
    add(texts.module_count, roofs.modules[k] ? number(roofs.modules[k]) : null);
    add(texts.inverters, text("inverters", k));
    add(texts.status, label(kind, "status"));
    add(kind === "ok" ? texts.notes : texts.why, reasons);
    box.append(list);
    if (core.planesOf) box.append(...core.planesOf(k));
    return box;
  }
  function openRoof(k, latlng) {
    const shape = roofs.shape[k];
    let at = latlng;
    outline.remove();
    if (shape) {
      outline.setLatLngs(decodeShape(shape, roofs.origin));
      at = at || outline.getBounds().getCenter();
    } else {
      at = at || (roofs.point[k] ? [roofs.point[k][1], roofs.point[k][0]] : map.getCenter());
    }
    showPopup(at, roofPopup(k));
    shownUnit = null;
    if (shape) outline.addTo(map);
  }
  function showPopup(latlng, content) {
    popup.options.maxHeight = Math.max(200, map.getSize().y - 110);
    popup.setLatLng(latlng).setContent(content).openOn(map);
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    if (close) close.setAttribute("aria-label", texts.close);
  }
  function goToRoof(k) {
    if (roofs.shape[k]) {
      outline.setLatLngs(decodeShape(roofs.shape[k], roofs.origin));
      map.fitBounds(outline.getBounds(), { maxZoom: 18, animate: false });
    } else if (roofs.point[k]) {
      map.setView([roofs.point[k][1], roofs.point[k][0]], 18, { animate: false });
    }
    openRoof(k);
  }
  roofLayers.forEach((group) => group.on("click", (event) => {
    L.DomEvent.stopPropagation(event);
    openRoof(event.layer.roofIndex, event.latlng);
  }));

  /* ---- start ------------------------------------------------------------------------------------------ */
  map.attributionControl.setPrefix("Leaflet");
  /* Leaflet takes markup here: a text node's own serialisation is the escape. A long list stands in the panel only. */
  if (page.sources.length && page.sources.join(" · ").length <= 80) map.attributionControl.addAttribution(node("span", "", page.sources.join(" · ")).innerHTML);
  const wide = window.matchMedia("(min-width: 761px)").matches;
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
  const bounds = page.bounds ? L.latLngBounds(page.bounds) : null;
  if (bounds) map.fitBounds(bounds, { padding: [18, 18], animate: false });

  buildUnits();
  unitLayer.addTo(map);
  roofLayers.forEach((group) => group.addTo(map));
  const lazy = roofs.n > page.lazyAbove;
  if (lazy || page.planes) fileRoofs();
  if (lazy) {
    hints.push({ zoom: NEAR_ZOOM, text: texts.zoom_to_roofs, layer: () => true });
    showHint();
    map.on("moveend", showRoofsInView);
    showRoofsInView();
  } else {
    for (let k = 0; k < roofs.n; k += 1) drawRoof(k);
  }
  labelLayer.addTo(map);
  const overlays = [[texts.roofs_layer, roofLayers[0]], [texts.survey_layer, roofLayers[1]], [texts.excluded_layer, roofLayers[2]],
    [texts.units_layer, unitLayer], [texts.labels_layer, labelLayer]];
  const bases = {};
  if (baseLayers.length) {
    baseLayers.forEach(([name, layer]) => { bases[name] = layer; });
    bases[texts.no_basemap] = L.layerGroup();
  }
  /* On a phone the popup takes the top of the map: the controls go below. */
  const control = L.control.layers(bases, Object.fromEntries(overlays), { collapsed: !wide, position: wide ? "topright" : "bottomright" });
  control.addTo(map);
  L.control.zoom({ zoomInTitle: texts.zoom_in, zoomOutTitle: texts.zoom_out, position: wide ? "topleft" : "bottomright" }).addTo(map);
  map.on("overlayadd", (event) => {
    if (event.layer === unitLayer) unitLayer.bringToBack();
    if (event.layer === labelLayer) paintUnits();
  });
  /* From afar the dashes of many small roofs would only be noise. */
  const styleSurvey = () => {
    const style = page.style.status.needs_survey;
    roofLayers[1].setStyle(map.getZoom() >= NEAR_ZOOM + 1 ? style : { ...style, weight: 0.4, opacity: 0.6, fillOpacity: 0.8, dashArray: null });
  };
  let wasNear = null;
  map.on("zoomend", () => {
    const near = map.getZoom() >= NEAR_ZOOM + 1;
    if (near !== wasNear) styleSurvey();
    wasNear = near;
    paintUnits();
  });
  styleSurvey();

  Object.assign(core, {
    map, page, state, units, cover, roofs, levels, FIELD, STATUS, overlays, control, polygonOf, drawnRoofs, roofLayers, unitLayer, labelLayer, lazy, node,
    number, percent, label, byId, rowFor, rowOfUnit, shareOf, shareText, targetOf, choiceAt, statement, rangeText, definitionText, buildUnits, paintUnits,
    openUnit, openRoof, goToRoof, refreshPopup, verdicts, verdictText, differs, decodeShape, withUnit, cells, cellOf, CELL, hints, showHint,
  });
  rooftopPanel(core);
  if (page.planes) rooftopPlanes(core);
  paintUnits();
  window.rooftop = core;
}
