/* Roof planes and modules: two layers, off at first, drawn where one looks and from where they can be seen. */
function rooftopPlanes(core) {
  "use strict";
  const { map, page, roofs, node, number, byId, decodeShape, cells, cellOf, CELL } = core;
  const { texts, planes } = page;
  const PLANES_ZOOM = 17;
  const MODULES_ZOOM = 18;
  const GAPS_ZOOM = 19; /* nearer than this, gaps between modules are drawn */
  const ARROW_PIXELS = 20; /* smaller planes have no arrow, */
  const LABEL_PIXELS = 44; /* and these no number */
  const FINE = 1e7;

  const outlinesOf = new Map();
  planes.roof.forEach((roof, k) => (outlinesOf.has(roof) ? outlinesOf.get(roof).push(k) : outlinesOf.set(roof, [k])));
  const shapeOf = (k) => decodeShape(planes.shape[k] === 1 ? roofs.shape[planes.roof[k]] : planes.shape[k], roofs.origin);
  const direction = (azimuth) => planes.directions[Math.round(azimuth / 45) % 8];
  const slopeText = (tilt, azimuth) => (azimuth < 0 ? texts.flat : page.lang === "zh" ? `${direction(azimuth)} ${tilt}°` : `${tilt}° ${direction(azimuth)}`);

  /* ---- modules: zigzag integers, seven bits a byte, in base64 ------------------------------------------- */
  function integers(text) {
    const raw = atob(text);
    const out = [];
    let value = 0;
    let scale = 1;
    for (let k = 0; k < raw.length; k += 1) {
      const byte = raw.charCodeAt(k);
      value += (byte % 128) * scale;
      scale *= 128;
      if (byte < 128) {
        out.push(value % 2 ? -(value + 1) / 2 : value / 2);
        value = 0;
        scale = 1;
      }
    }
    return out;
  }
  /* [counted rings, other rings], each ring four [latitude, longitude]. */
  function modulesOf(k) {
    const found = [[], []];
    if (!planes.module || !planes.module[k]) return found;
    const values = integers(planes.module[k]);
    for (let at = 0; at < values.length;) {
      const [uncounted, n, ax, ay, bx, by] = values.slice(at, at + 6);
      let x = roofs.origin[0] * 10;
      let y = roofs.origin[1] * 10;
      at += 6;
      for (let m = 0; m < n; m += 1, at += 2) {
        x += values[at];
        y += values[at + 1];
        found[uncounted].push([[0, 0], [ax, ay], [ax + bx, ay + by], [bx, by]].map(([dx, dy]) => [(y + dy) / FINE, (x + dx) / FINE]));
      }
    }
    return found;
  }

  /* ---- layers ------------------------------------------------------------------------------------------- */
  function pane(name, level) {
    const element = map.createPane(name);
    element.style.zIndex = level;
    element.style.pointerEvents = "none"; /* clicks go to the roofs below */
    return L.canvas({ pane: name, padding: 0.3 });
  }
  const moduleCanvas = pane("rt-modules", 410);
  const planeCanvas = pane("rt-planes", 420);
  const planeLayer = L.layerGroup();
  const moduleLayer = L.layerGroup();
  const fixed = { interactive: false, smoothFactor: 0, noClip: true };

  const gaps = () => ({ stroke: map.getZoom() >= GAPS_ZOOM });
  function drawModules(roof) {
    const rings = [[], []];
    (outlinesOf.get(roof) || []).forEach((k) => modulesOf(k).forEach((found, kind) => rings[kind].push(...found.map((ring) => [ring]))));
    const look = { ...fixed, renderer: moduleCanvas, pane: "rt-modules", weight: 0.7 };
    const styles = [{ ...look, color: "#dfe8f2", fillColor: "#123a6d", fillOpacity: 0.92 }, { ...look, color: "#10305a", fill: false, opacity: 0.8 }];
    return rings.map((list, kind) => (list.length ? L.polygon(list, { ...styles[kind], ...gaps() }) : null)).filter(Boolean);
  }
  function drawPlanes(roof) {
    const out = [];
    (outlinesOf.get(roof) || []).forEach((k) => {
      if (!planes.shape[k]) return;
      const style = { ...planes.styles[planes.source[k]], ...fixed, renderer: planeCanvas, pane: "rt-planes" };
      const [x, y] = planes.point[k];
      const at = [(roofs.origin[1] + y) / 1e6, (roofs.origin[0] + x) / 1e6];
      out.push(L.polygon(shapeOf(k), { ...style, fill: false }));
      const pixels = Math.sqrt(planes.area[k]) * pixelsPerMetre(at[0]);
      if (planes.azimuth[k] < 0 || pixels < ARROW_PIXELS) return;
      const half = Math.min(Math.max(pixels * 0.2, 5), 14);
      const line = arrow(at, planes.azimuth[k], half / pixelsPerMetre(at[0]));
      [["#fff", 5], [style.color, 2]].forEach(([color, weight]) => out.push(L.polyline(line, { ...style, color, weight, dashArray: null })));
      if (pixels >= LABEL_PIXELS) out.push(label(k, at));
    });
    return out;
  }
  const pixelsPerMetre = (lat) => (256 * 2 ** map.getZoom()) / (40075016.7 * Math.cos((lat * Math.PI) / 180));
  /* An arrow downhill through a point, `half` metres to both sides. */
  function arrow(at, azimuth, half) {
    const step = (bearing, metres, [lat, lon]) => {
      const angle = (bearing * Math.PI) / 180;
      return [lat + (Math.cos(angle) * metres) / 111320, lon + (Math.sin(angle) * metres) / (111320 * Math.cos((lat * Math.PI) / 180))];
    };
    const tip = step(azimuth, half, at);
    return [[step(azimuth + 180, half, at), tip], [step(azimuth + 145, half * 0.8, tip), tip, step(azimuth - 145, half * 0.8, tip)]];
  }
  /* The tilt stands beside the arrow. */
  function label(k, at) {
    const angle = (planes.azimuth[k] * Math.PI) / 180;
    const offset = [Math.abs(Math.cos(angle)) * 20, -Math.abs(Math.sin(angle)) * 15];
    const content = node("span", "", `${planes.tilt[k]}°`);
    return L.tooltip({ permanent: true, direction: "center", className: "rt-plane", interactive: false, opacity: 1, offset }).setLatLng(at).setContent(content);
  }

  /* ---- what is in view ------------------------------------------------------------------------------------ */
  const boundsOf = new Map();
  function roofBounds(k) {
    if (!boundsOf.has(k)) boundsOf.set(k, L.polygon(decodeShape(roofs.shape[k], roofs.origin)).getBounds());
    return boundsOf.get(k);
  }
  function roofsInView() {
    const view = map.getBounds().pad(0.3);
    const [west, south] = cellOf(view.getWest(), view.getSouth()).split(",").map(Number);
    const [east, north] = cellOf(view.getEast(), view.getNorth()).split(",").map(Number);
    const found = new Set();
    /* A roof is filed where its outline begins: it may reach into the next cell. */
    for (let i = west - 1; i <= east + 1; i += 1) {
      for (let j = south - 1; j <= north + 1; j += 1) {
        (cells.get(`${i},${j}`) || []).forEach((k) => outlinesOf.has(k) && view.intersects(roofBounds(k)) && found.add(k));
      }
    }
    return found;
  }
  function keeper(group, zoom, draw) {
    const drawn = new Map();
    let level = null;
    return {
      drawn,
      refresh() {
        const shown = map.hasLayer(group) && map.getZoom() >= zoom;
        const wanted = shown ? roofsInView() : new Set();
        const zoomed = level !== map.getZoom();
        const redraw = zoomed && draw === drawPlanes; /* arrows have their size in pixels */
        level = map.getZoom();
        if (zoomed && draw === drawModules) drawn.forEach((layers) => layers.forEach((layer) => layer.setStyle(gaps())));
        drawn.forEach((layers, roof) => {
          if (wanted.has(roof) && !redraw) return;
          layers.forEach((layer) => group.removeLayer(layer));
          drawn.delete(roof);
        });
        wanted.forEach((roof) => {
          if (drawn.has(roof)) return;
          drawn.set(roof, draw(roof));
          drawn.get(roof).forEach((layer) => group.addLayer(layer));
        });
      },
    };
  }
  const keepers = [keeper(planeLayer, PLANES_ZOOM, drawPlanes)];
  const layers = [[texts.planes_layer, planeLayer, PLANES_ZOOM, texts.zoom_to_planes]];
  if (planes.module) {
    keepers.push(keeper(moduleLayer, MODULES_ZOOM, drawModules));
    layers.push([texts.modules_layer, moduleLayer, MODULES_ZOOM, texts.zoom_to_modules]);
  }
  layers.forEach(([name, group, zoom, text]) => {
    core.control.addOverlay(group, name);
    core.hints.push({ zoom, text, layer: () => map.hasLayer(group) });
  });

  /* ---- legend --------------------------------------------------------------------------------------------- */
  const legend = byId("rt-legend");
  const key = (name, amount, look, className) => {
    const swatch = node("i", className || "");
    Object.assign(swatch.style, look);
    return node("div", "rt-key", swatch, node("span", "", name), node("em", "", number(amount)));
  };
  const planeKeys = node("div", "rt-scale-block", node("h3", "", texts.planes_legend));
  planes.sources.forEach((name, k) => {
    const style = planes.styles[k];
    if (planes.counts[k]) planeKeys.append(key(name, planes.counts[k], { borderTopColor: style.color, borderTopStyle: style.dashArray ? "dashed" : "solid" }, "rt-line"));
  });
  const moduleKeys = node("div", "rt-scale-block", key(texts.module_counted, planes.counted, { background: "#123a6d", borderColor: "#dfe8f2" }));
  if (planes.uncounted) moduleKeys.append(key(texts.module_left_out, planes.uncounted, { background: "none", borderColor: "#10305a" }));
  legend.prepend(planeKeys, moduleKeys);

  function refresh() {
    keepers.forEach((each) => each.refresh());
    planeKeys.hidden = !map.hasLayer(planeLayer);
    moduleKeys.hidden = !map.hasLayer(moduleLayer);
    core.showHint();
  }
  map.on("moveend overlayadd overlayremove", refresh);
  refresh();

  /* ---- popup ---------------------------------------------------------------------------------------------- */
  const LISTED = 6;
  core.planesOf = (roof) => {
    const mine = [...(outlinesOf.get(roof) || [])].sort((a, b) => planes.area[b] - planes.area[a]);
    if (!mine.length) return [];
    const rows = mine.slice(0, LISTED).map((k) => {
      const racks = planes.looks[k] ? ` (${texts.racks} ${planes.looks[k].map(([tilt, azimuth]) => slopeText(tilt, azimuth)).join(" / ")})` : "";
      const count = planes.n[k] ? ` · ${number(planes.n[k])} ${texts.module_unit}` : "";
      return node("li", "", `${slopeText(planes.tilt[k], planes.azimuth[k])}${racks} · ${number(Math.round(planes.area[k]))} ${texts.area_unit}${count}`);
    });
    if (mine.length > LISTED) rows.push(node("li", "", texts.and_more.replace("{n}", number(mine.length - LISTED))));
    const sources = [...new Set(mine.map((k) => planes.sources[planes.source[k]]))].join(" / ");
    return [node("h5", "", `${texts.planes}: ${number(mine.length)} · ${sources}`), node("ul", "rt-planes", ...rows)];
  };
  Object.assign(core, { planeLayer, moduleLayer, drawnPlanes: keepers[0].drawn, drawnModules: planes.module ? keepers[1].drawn : new Map(), modulesOf, shapeOf, outlinesOf });
}
