/* The panel beside the map: search, key figures, coverage by definition, legends. */
function rooftopPanel(core) {
  "use strict";
  const { page, state, units, cover, roofs, levels, FIELD, node, number, percent, label, byId } = core;
  const { texts, style } = page;

  /* ---- heading and foot ------------------------------------------------------------------------------- */
  document.documentElement.lang = page.lang === "zh" ? "zh-CN" : "en";
  byId("rt-title").textContent = page.title;
  byId("rt-subtitle").textContent = texts.subtitle;
  byId("rt-badge").hidden = !page.synthetic;
  byId("rt-badge").textContent = page.badge;
  const foot = byId("rt-foot");
  const line = (content, className) => content && foot.append(node("p", className || "", content));
  line(page.synthetic ? texts.synthetic_long : "");
  line(page.personalNames ? texts.personal : "", "rt-warn");
  line(page.notDrawn ? `${number(page.notDrawn)} ${texts.not_drawn}` : "");
  line(page.tooMany ? texts.no_roofs : "", "rt-warn");
  page.missing.forEach((text) => line(text, "rt-warn"));
  line(page.sources.length ? `${texts.sources}: ${page.sources.join(page.lang === "zh" ? "；" : "; ")}` : "");
  line(texts.caveat);
  line(texts.made_with);

  const panel = byId("rt-panel");
  const toggle = byId("rt-toggle");
  toggle.textContent = texts.panel;
  const setOpen = (open) => {
    panel.classList.toggle("rt-closed", !open);
    toggle.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("rt-open", open);
    panel.scrollTop = 0;
    core.map.invalidateSize({ animate: false });
  };
  setOpen(false);
  toggle.addEventListener("click", () => setOpen(panel.classList.contains("rt-closed")));

  /* ---- search ----------------------------------------------------------------------------------------- */
  const input = byId("rt-search");
  const hits = byId("rt-hits");
  input.placeholder = texts.search;
  input.setAttribute("aria-label", texts.search);
  let found = [];
  let selected = 0;
  const ids = roofs.id.map((id) => id.toLowerCase());
  const names = roofs.name.map((name) => (name || "").toLowerCase());
  function find(query) {
    const wanted = query.trim().toLowerCase();
    if (!wanted) return [];
    const ranked = [[], [], []];
    for (let k = 0; k < roofs.n; k += 1) {
      if (ids[k] === wanted) ranked[0].push(k);
      else if (ids[k].startsWith(wanted) || names[k].startsWith(wanted)) ranked[1].length < 8 && ranked[1].push(k);
      else if (ids[k].includes(wanted) || names[k].includes(wanted)) ranked[2].length < 8 && ranked[2].push(k);
    }
    return ranked.flat().slice(0, 8);
  }
  function showHits() {
    hits.replaceChildren();
    found.forEach((k, at) => {
      const item = node("li", "", roofs.name[k] || roofs.id[k], roofs.name[k] ? node("small", "", roofs.id[k]) : null);
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(at === selected));
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        choose(k);
      });
      hits.append(item);
    });
    if (!found.length && input.value.trim()) hits.append(node("li", "rt-none", texts.no_hits));
    hits.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!hits.hidden));
  }
  function choose(k) {
    hits.hidden = true;
    input.setAttribute("aria-expanded", "false");
    setOpen(false);
    input.blur();
    core.goToRoof(k);
  }
  input.addEventListener("input", () => {
    found = find(input.value);
    selected = 0;
    showHits();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && found.length) choose(found[selected]);
    else if (event.key === "Escape") hits.hidden = true;
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length) {
      selected = (selected + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      showHits();
    } else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => { hits.hidden = true; });
  input.addEventListener("focus", () => { if (input.value.trim()) showHits(); });

  /* ---- key figures ------------------------------------------------------------------------------------ */
  page.facts.forEach(([value, unit, name]) => {
    byId("rt-facts").append(node("div", "rt-fact", node("b", "", value, unit ? node("small", "", unit) : null), node("span", "", name)));
  });

  /* ---- coverage --------------------------------------------------------------------------------------- */
  const section = byId("rt-coverage");
  const heading = node("h2");
  const what = node("p", "rt-what");
  const controls = node("div");
  const MAIN = ["unit_level", "target_id", "kind", "numerator", "denominator"];
  const more = node("div");
  const details = node("details", "rt-more", node("summary", "", texts.more_choices), more);
  const definition = node("p", "rt-definition");
  const decides = node("p", "rt-decides");
  const list = node("ul", "rt-units");
  const nChoices = cover.choices.length;

  function segments(name, options, current, pick) {
    const box = node("div", "rt-segments");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", name);
    options.forEach(([value, shown]) => {
      const button = node("button", "", shown);
      button.type = "button";
      button.setAttribute("aria-pressed", String(value === current));
      button.dataset.value = value;
      button.addEventListener("click", () => pick(value));
      box.append(button);
    });
    return box;
  }
  function dropdown(name, options, current, pick) {
    const select = node("select");
    select.setAttribute("aria-label", name);
    options.forEach(([value, shown]) => {
      const option = node("option", "", shown);
      option.value = String(value);
      option.selected = value === current;
      select.append(option);
    });
    select.addEventListener("change", () => pick(options[select.selectedIndex][0]));
    return select;
  }
  function choice(key, name, options, current, pick) {
    const short = options.length <= 3 && options.every(([, shown]) => shown.length <= (page.lang === "zh" ? 7 : 12));
    const row = node("div", "rt-choice", node("span", "", name), (short ? segments : dropdown)(name, options, current, pick));
    row.dataset.choice = key;
    (MAIN.includes(key) ? controls : more).append(row);
  }

  /* A choice may not exist together with the others (a reading belongs to one target): take the nearest row. */
  function settle(at, value) {
    const wanted = state.choice.slice();
    wanted[at] = value;
    const keepsDefinition = ["numerator", "denominator"].includes(cover.choices[at].name) || !isDefaultNow();
    let best = null;
    let bestScore = -1;
    for (const row of cover.rows) {
      if (row[1 + at] !== value) continue;
      let score = row[FIELD.isDefault] * (keepsDefinition ? 0.5 : 2.5);
      for (let k = 0; k < nChoices; k += 1) score += row[1 + k] === wanted[k] ? 1 : 0;
      if (score > bestScore) [best, bestScore] = [row, score];
    }
    state.choice = best.slice(1, 1 + nChoices);
    refresh();
  }
  function buildControls() {
    controls.replaceChildren();
    more.replaceChildren();
    if (levels.length > 1) {
      choice("unit_level", texts.level, levels.map((level) => [level, label(level, "level")]), state.level, (level) => {
        state.level = level;
        core.buildUnits();
        refresh();
      });
    }
    cover.choices.forEach(({ name, values, short }, at) => {
      if (values.length < 2) return;
      const options = short.map((shown, k) => [k, shown]);
      choice(name, texts[name], options, state.choice[at], (value) => settle(at, value));
    });
  }
  function isDefaultNow() {
    return cover.rows.some((row) => row[FIELD.isDefault] && state.choice.every((value, k) => row[1 + k] === value));
  }
  function describe() {
    const isDefault = isDefaultNow();
    const others = cover.choices
      .map(({ name, labels }, at) => (MAIN.includes(name) || state.choice[at] === cover.default[at] ? null : labels[state.choice[at]]))
      .filter(Boolean);
    definition.replaceChildren(node("b", "", [core.definitionText(), ...others].join(" · ")), " · ",
      node("span", isDefault ? "rt-own" : "rt-other", isDefault ? texts.default_definition : texts.other_definition));
    if (!isDefault) {
      const back = node("button", "", texts.back_to_default);
      back.type = "button";
      back.addEventListener("click", () => {
        state.choice = cover.default.slice();
        refresh();
      });
      definition.append(back);
    }
    const row = cover.rows.find((candidate) => state.choice.every((value, k) => candidate[1 + k] === value));
    const [target, year] = row ? [row[FIELD.target], row[FIELD.year]] : [null, null];
    const by = year === null ? "" : page.lang === "zh" ? `${year}${texts.target_year}` : ` ${texts.target_year} ${year}`;
    const text = target === null ? "" : page.lang === "zh" ? `${by}${texts.target} ${percent(target, null)}` : `${texts.target} ${percent(target, null)}${by}`;
    heading.replaceChildren(node("span", "", texts.coverage), node("span", "rt-target", text));
    const at = core.choiceAt("target_id");
    what.textContent = cover.choices[at].labels[state.choice[at]] || "";
  }
  function unitItem(coverIndex, row, counts) {
    const [id, name, level] = cover.units[coverIndex];
    const share = core.shareOf(row);
    const target = core.targetOf(row);
    const bar = node("div", "rt-track");
    if (share !== null) {
      const fill = node("i");
      fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
      bar.append(fill);
    }
    if (target !== null) {
      const tick = node("u");
      tick.style.left = `calc(${Math.min(1, target) * 100}% - 1px)`;
      bar.append(tick);
    }
    const item = node("li", "",
      node("div", "rt-unit-line", node("span", "rt-unit-name", name || id), node("span", "rt-unit-range", core.rangeText(row)),
        node("span", "rt-unit-value", core.shareText(row)), share === null ? null : core.statement(row)), bar,
      core.differs(counts) ? node("small", "rt-flips", core.verdictText(counts)) : null);
    item.dataset.unit = id;
    item.tabIndex = 0;
    item.addEventListener("keydown", (event) => { if (event.key === "Enter") item.click(); });
    item.addEventListener("click", () => {
      const k = units.id.findIndex((unit, at) => unit === id && units.level[at] === level);
      if (!core.polygonOf.has(k)) return;
      core.map.fitBounds(core.polygonOf.get(k).getBounds(), { animate: false });
      const [x, y] = units.label[k];
      core.openUnit(k, [y, x]);
      setOpen(false);
    });
    return item;
  }
  function listUnits() {
    const shown = cover.units
      .map((unit, k) => [k, unit[2] === state.level || !["district", "town", "zone"].includes(unit[2]) ? core.rowFor(k) : undefined])
      .filter(([, row]) => row !== undefined)
      .map(([k, row]) => [k, row, cover.units[k][2] === state.level ? 1 : 0]);
    const rank = (row) => (core.shareOf(row) === null ? -Infinity : core.shareOf(row));
    shown.sort((a, b) => a[2] - b[2] || rank(b[1]) - rank(a[1]) || a[0] - b[0]);
    const verdicts = core.verdicts();
    list.replaceChildren(...shown.map(([k, row]) => unitItem(k, row, verdicts.get(k))));
    const judged = shown.filter(([k]) => verdicts.has(k));
    const open = judged.filter(([k]) => core.differs(verdicts.get(k))).length;
    const counted = texts.definition_decides.replace("{n}", number(open)).replace("{m}", number(judged.length));
    decides.textContent = open ? counted : judged.length ? texts.definitions_agree : "";
    decides.classList.toggle("rt-open-question", open > 0);
    decides.hidden = !judged.length;
    if (!shown.length) list.append(node("li", "rt-none", texts.no_rows));
  }
  function refresh() {
    buildControls();
    describe();
    listUnits();
    core.paintUnits();
    core.refreshPopup();
  }
  if (cover.rows.length) {
    section.hidden = false;
    section.append(heading, what, controls, details, definition, decides, list);
    refresh();
    details.hidden = !more.childElementCount;
  }

  /* ---- legend ----------------------------------------------------------------------------------------- */
  const legend = byId("rt-legend");
  function scale(title, colours, ticks) {
    const bar = node("div", "rt-scale");
    colours.forEach((colour) => {
      const part = node("i");
      part.style.background = colour;
      bar.append(part);
    });
    const marks = node("div", "rt-ticks");
    ticks.forEach((tick, k) => {
      const mark = node("span", "", tick);
      mark.style.left = `${((k + 1) / colours.length) * 100}%`;
      marks.append(mark);
    });
    legend.append(node("div", "rt-scale-block", node("h3", "", title), bar, marks));
  }
  function key(name, look, amount, className) {
    const swatch = node("i", className || "");
    Object.assign(swatch.style, look);
    legend.append(node("div", "rt-key", swatch, node("span", "", name), amount === undefined ? null : node("em", "", number(amount))));
  }
  scale(texts.yield_legend, style.yieldColours, style.yieldBreaks.map((value) => String(value)));
  key(label("needs_survey", "status") + (page.lang === "zh" ? "（" : " (") + texts.survey_note + (page.lang === "zh" ? "）" : ")"),
    { background: style.yieldColours[0] }, page.counts.needs_survey, "rt-survey");
  key(label("excluded", "status"), { background: style.status.excluded.fillColor }, page.counts.excluded);
  if (page.counts.no_value) key(texts.no_value, { background: style.noData }, page.counts.no_value);
  if (cover.rows.length) {
    scale(texts.coverage_legend, style.coverageColours, style.coverageBreaks.map((value) => percent(value, null)));
    key(`${texts.no_buildings} / ${texts.no_data}`, { background: style.noData });
  }
}
