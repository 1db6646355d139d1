"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
document.documentElement.classList.add("scripted");

// ---------------------------------------------------------------- elements

/** An element with these attributes and children; text is never read as HTML. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function choice(label, options, chosen, onchange) {
  const select = element("select", { onchange: () => onchange(select.value) });
  for (const [value, text] of options) {
    const option = element("option", { value }, text);
    option.selected = value === chosen;
    select.append(option);
  }
  return element("label", {}, label, select);
}

function scroller(label, ...children) {
  return element("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": label }, ...children);
}

function tableOf(columns, rows) {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.map(([first, ...rest]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((text) => element("td", {}, text))),
  );
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

function short(number) {
  return number === null || number === undefined ? "-" : String(Number(number.toPrecision(4)));
}

// ---------------------------------------------------------------- sorting and filtering

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = element("button", { type: "button", onclick: () => sortBy(table, header, column) });
    button.append(...header.childNodes);
    header.append(button);
    if (table.tBodies[0].rows[0]?.cells[column].classList.contains("text")) header.classList.add("text");
  });
}

function sortBy(table, header, column) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const keyed = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[column]), row]);
  keyed.sort(([one], [other]) => (one === null) - (other === null) || compare(one, other) * (descending ? -1 : 1));
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

/** What a cell is sorted by; null, which comes last either way, where it has nothing. */
function sortKey(cell) {
  if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
  const text = cell.textContent.trim();
  return text === "-" || text === "" ? null : text;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

const FILTERS = { dataset: "Data set or experiment", fusion: "Fusion", verdict: "Verdict" };

function makeFilters(place) {
  const filtered = document.getElementById(place.dataset.filters);
  const rows = [...filtered.querySelectorAll("tbody tr")].map((row) => [row, row.textContent.toLowerCase()]);
  const chosen = {};
  const told = element("output", {});
  const search = element("input", { type: "search", oninput: apply });
  place.append(element("label", {}, "Filter rows", search));
  for (const [name, label] of Object.entries(FILTERS)) {
    const values = [...new Set(rows.map(([row]) => row.dataset[name]))].filter((value) => value !== undefined);
    if (values.length < 2) continue;
    chosen[name] = "";
    const texts = values.map((value) => [value, name === "fusion" ? data.captions[value] : value]);
    place.append(choice(label, [["", "all"], ...texts], "", (value) => ((chosen[name] = value), apply())));
  }
  place.append(told);

  function apply() {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const [row, text] of rows) {
      const fits =
        text.includes(wanted) &&
        Object.entries(chosen).every(([name, value]) => value === "" || row.dataset[name] === value);
      row.hidden = !fits;
      shown += fits;
    }
    for (const section of filtered.querySelectorAll("section.place")) {
      section.hidden = !section.querySelector("tbody tr:not([hidden])");
      section.querySelector(".plot")?.dispatchEvent(new Event("filtered"));
    }
    told.textContent = `${shown} of ${rows.length} rows`;
  }

  place.clear = () => {
    for (const field of place.querySelectorAll("input, select")) field.value = "";
    for (const name of Object.keys(chosen)) chosen[name] = "";
    apply();
  };
  apply();
}

// ---------------------------------------------------------------- figures

const SYMBOLS = {
  o: "circle", D: "diamond", P: "cross", "^": "triangle-up", p: "pentagon", x: "x-thin-open", X: "x", s: "square",
  "*": "star", v: "triangle-down",
};
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws in a place, now and again whenever the colours change. */
function draw(place, make) {
  drawn.set(place, make);
  const { traces, layout } = make();
  Plotly.react(place, traces, themed(layout), CONFIG);
}

function themed(layout) {
  const axis = { gridcolor: color("--line"), zeroline: false, linecolor: color("--soft"), automargin: true };
  return {
    margin: { l: 60, r: 20, t: 30, b: 50 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: color("--text"), family: "system-ui, sans-serif", size: 13 },
    hoverlabel: { bgcolor: color("--raised"), bordercolor: color("--line"), font: { color: color("--text") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: color("--soft"), activecolor: color("--link") },
    legend: { orientation: "h", yanchor: "top", y: -0.22, font: { size: 12 } },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    ...layout,
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  };
}

dark.addEventListener("change", () => {
  for (const [place, make] of drawn) {
    const { traces, layout } = make();
    Plotly.react(place, traces, themed(layout), CONFIG);
  }
});

function look(fusion) {
  const { color: chosen, marker, hollow } = data.looks[fusion] ?? { color: "#999999", marker: "o", hollow: true };
  return inked(chosen, SYMBOLS[marker] + (hollow ? "-open" : ""));
}

function inked(chosen, symbol) {
  const ink = chosen === "#000000" ? color("--text") : chosen;
  return { color: ink, marker: { color: ink, symbol, size: 8, line: { color: ink, width: symbol.endsWith("-open") ? 2 : 0 } } };
}

const DASHES = ["solid", "dash", "dot", "dashdot"];

/** The looks of the series of a figure: a few variants of a fusion differ in their dashes, many in colour as well. */
function looksOf(fusions) {
  const counts = {};
  for (const fusion of fusions) counts[fusion] = (counts[fusion] ?? 0) + 1;
  const met = {};
  return fusions.map((fusion) => {
    const number = (met[fusion] = (met[fusion] ?? -1) + 1);
    if (counts[fusion] <= DASHES.length) return { ...look(fusion), dash: DASHES[number] };
    const { palette } = data;
    const own = inked(palette[number % palette.length], look(fusion).marker.symbol);
    return { ...own, dash: DASHES[Math.floor(number / palette.length) % DASHES.length] };
  });
}

/** What sets a cell apart from others of its section, without what is drawn across. */
function nameOf(cell, varied, across) {
  const said = Object.entries(cell.arguments).filter(([name]) => name !== across);
  if (cell.variables.P !== undefined && across !== "P") said.unshift(["P", cell.variables.P]);
  for (const name of varied) {
    if (name === across) continue;
    if (name === "modalities") said.push(["modalities", cell.modalities]);
    else said.push([name, cell.settings[name]]);
  }
  const text = said.map(([name, value]) => `${name.replaceAll("_", " ")} = ${value}`).join(", ");
  return data.captions[cell.fusion] + (text ? ` (${text})` : "");
}

function valueOf(cell, variable) {
  if (variable in cell.variables) return cell.variables[variable];
  return cell[variable] ?? null;
}

/** The variables that a section can be drawn across, and the one that most of it varies in. */
function variablesOf(cells) {
  const names = new Set(cells.flatMap((cell) => Object.keys(cell.variables)));
  const found = [];
  let [best, most] = ["", 1];
  for (const name of [...names, "modalities", "fusion_params", "total_params"]) {
    const values = cells.map((cell) => valueOf(cell, name)).filter((value) => value !== null);
    const distinct = new Set(values).size;
    if (distinct < 2) continue;
    found.push(name);
    if (!name.endsWith("_params") && values.length >= 0.75 * cells.length && distinct > most) {
      [best, most] = [name, distinct];
    }
  }
  return [found, best];
}

function variedIn(cells) {
  const names = new Set(cells.flatMap((cell) => Object.keys(cell.settings)));
  const varied = [...names].filter((name) => new Set(cells.map((cell) => cell.settings[name])).size > 1);
  if (new Set(cells.map((cell) => cell.modalities)).size > 1) varied.push("modalities");
  return varied;
}

function spansDecades(values, factor) {
  const positive = values.filter((value) => value > 0);
  return positive.length === values.length && Math.max(...values) / Math.min(...values) >= factor;
}

function drawSection(place, table, plot) {
  const cells = cellsOf(table, plot);
  const varied = variedIn(cells);
  const [variables, best] = variablesOf(cells);
  const state = { metric: Object.keys(plot.metrics)[0], across: best };
  const figure = element("div");
  const rows = new Map();
  for (const row of place.parentElement.querySelectorAll("tr[data-cell]")) rows.set(Number(row.dataset.cell), row);
  const redraw = () => {
    const shown = cells.filter(({ number }) => !rows.get(number).hidden);
    if (shown.length) draw(figure, () => sectionFigure(shown, plot, varied, state.metric, state.across));
  };
  const choices = element("div", { class: "choices" });
  choices.append(choice("Score", Object.entries(plot.metrics), state.metric, (value) => ((state.metric = value), redraw())));
  const across = [["", "fusions"], ...variables.map((name) => [name, name.replaceAll("_params", " parameters").replaceAll("_", " ")])];
  if (variables.length) {
    choices.append(choice("Across", across, state.across, (value) => ((state.across = value), redraw())));
  }
  place.append(choices, figure);
  redraw();
  place.style.minHeight = "";
  place.addEventListener("filtered", redraw);
  figure.on("plotly_click", ({ points }) => openCell(table, points[0].customdata));
}

function heightOf(cells, varied, across) {
  const names = new Set(cells.map((cell) => nameOf(cell, varied, across)));
  return across ? 420 + 12 * (names.size <= 24 ? names.size : 0) : Math.min(90 + 22 * names.size, 1200);
}

function cellsOf(table, plot) {
  return plot.cells.map((number) => ({ ...data.tables[table].cells[number], number }));
}

/** Keeps the room that a figure will take, so that nothing moves when it is drawn. */
function reserve(place, table, plot) {
  const cells = cellsOf(table, plot);
  const [, best] = variablesOf(cells);
  place.style.minHeight = `${heightOf(cells, variedIn(cells), best) + 64}px`;
}

function sectionFigure(cells, plot, varied, metric, across) {
  const scored = cells.filter((cell) => (cell.scores[metric]?.mean ?? null) !== null);
  const shown = across ? scored.filter((cell) => valueOf(cell, across) !== null) : scored;
  const series = new Map();
  for (const cell of shown) {
    const name = across ? nameOf(cell, varied, across) : cell.fusion;
    if (!series.has(name)) series.set(name, []);
    series.get(name).push(cell);
  }
  const looks = looksOf([...series.values()].map(([first]) => first.fusion));
  const traces = [...series].map(([name, members], index) => {
    if (across) members.sort((one, other) => valueOf(one, across) - valueOf(other, across));
    const scores = members.map((cell) => cell.scores[metric]);
    const names = members.map((cell) => nameOf(cell, varied, ""));
    const error = {
      type: "data", thickness: 1.5, width: 3,
      array: scores.map(({ mean, high }) => (high === null ? 0 : high - mean)),
      arrayminus: scores.map(({ mean, low }) => (low === null ? 0 : mean - low)),
    };
    const { color: ink, marker, dash } = looks[index];
    const means = scores.map(({ mean }) => mean);
    return {
      type: "scatter",
      name,
      mode: across && members.length > 1 ? "lines+markers" : "markers",
      x: across ? members.map((cell) => valueOf(cell, across)) : means,
      y: across ? means : names,
      [across ? "error_y" : "error_x"]: error,
      marker,
      line: { color: ink, width: 1.5, dash },
      customdata: members.map(({ number }) => number),
      hovertext: members.map((cell, member) => hoverOf(names[member], plot.metrics[metric], cell, metric)),
      hoverinfo: "text",
      showlegend: Boolean(across) && innerWidth >= 640 && series.size <= 24,
    };
  });
  const means = shown.map((cell) => cell.scores[metric].mean);
  if (!across) {
    const names = [...new Set(shown.map((cell) => nameOf(cell, varied, "")))];
    const axis = { categoryorder: "array", categoryarray: names, autorange: "reversed", title: "" };
    return {
      traces,
      layout: {
        height: heightOf(shown, varied, across),
        xaxis: { title: { text: plot.metrics[metric] }, type: spansDecades(means, 1000) ? "log" : "linear" },
        yaxis: axis,
      },
    };
  }
  const values = shown.map((cell) => valueOf(cell, across));
  return {
    traces,
    layout: {
      height: heightOf(shown, varied, across),
      xaxis: {
        title: { text: across.replaceAll("_params", " parameters").replaceAll("_", " ") },
        type: spansDecades(values, 20) ? "log" : "linear",
      },
      yaxis: { title: { text: plot.metrics[metric] }, type: spansDecades(means, 1000) ? "log" : "linear" },
    },
  };
}

function hoverOf(name, label, cell, metric) {
  const { mean, low, high } = cell.scores[metric];
  const interval = low === null ? "" : ` [${short(low)}, ${short(high)}]`;
  return `${name}<br>${label}: ${short(mean)}${interval}<br>${cell.seeds} seeds; click for its runs`;
}

function drawBeside(place) {
  const makeFigure = () => {
    const kinds = [
      [true, "what the claim is about", "circle", "#D55E00"],
      [false, "for information", "circle-open", "#0072B2"],
    ];
    const name = (one) => `${one.claim}: ${one.place}`;
    const traces = kinds.map(([decides, legend, symbol, ink]) => {
      const ones = data.beside.filter((one) => one.decides === decides);
      return {
        type: "scatter",
        mode: "markers",
        name: `reproduced, ${legend}`,
        x: ones.map((one) => one.mean / one.published),
        y: ones.map(name),
        error_x: {
          type: "data",
          array: ones.map((one) => ((one.high ?? one.mean) - one.mean) / one.published),
          arrayminus: ones.map((one) => (one.mean - (one.low ?? one.mean)) / one.published),
        },
        marker: { symbol, size: 10, color: ink, line: { width: 2 } },
        hovertext: ones.map((one) => `published ${one.said}<br>reproduced ${short(one.mean)}<br>${wrapped(one.told)}`),
        hoverinfo: "text",
      };
    });
    const names = data.beside.map(name);
    traces.unshift({
      type: "scatter", mode: "markers", name: "published", x: names.map(() => 1), y: names,
      marker: { symbol: "line-ns-open", size: 14, color: color("--text"), line: { width: 2 } },
      hovertext: data.beside.map((one) => `published ${one.said}`), hoverinfo: "text",
    });
    const layout = {
      height: 150 + 26 * names.length,
      xaxis: { type: "log", title: { text: "reproduced / published" }, dtick: "D2" },
      yaxis: { categoryorder: "array", categoryarray: names, autorange: "reversed" },
    };
    return { traces, layout };
  };
  const figure = element("div");
  place.append(figure);
  draw(figure, makeFigure);
}

function wrapped(text) {
  return text.replace(/(.{60,90}?) /g, "$1<br>");
}

// ---------------------------------------------------------------- cells

const dialog = document.getElementById("cell");

function openCell(table, number) {
  const { csv, cells } = data.tables[table];
  const cell = cells[number];
  const close = element("button", { type: "button", autofocus: "", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    element("div", { class: "bar" }, element("h2", { id: "cell-title" }, `${cell.series}, ${cell.where}`), close),
    factsOf(table, cell),
    element("h3", {}, "Scores"),
    scroller("Scores", scoresOf(csv, cell)),
    element("h3", {}, "Seeds"),
  );
  dialog.showModal();
  drawSeeds(cell);
  if (Object.keys(cell.tuning).length) drawTuning(cell);
  const runs = cell.runs?.runs ?? [];
  const curves = runs.some((run) => run.losses) ? runs : [cell.runs ?? {}];
  if (curves.some((run) => run.epoch?.length)) drawLosses(curves);
  if (runs.length) dialog.append(element("h3", {}, "Runs"), scroller("Runs", runsOf(runs)));
}

dialog.addEventListener("close", () => {
  for (const place of [...drawn.keys()].filter((place) => dialog.contains(place))) {
    Plotly.purge(place);
    drawn.delete(place);
  }
  dialog.replaceChildren();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

/** The command that repeats a run and compares it with the record. */
function verifying(run) {
  const { folder } = dialog.dataset;
  return `.venv/bin/python -m reproduce verify ${run.id}${folder === "results" ? "" : ` --results ${folder}`}`;
}

function factsOf(table, cell) {
  const unknown = "not here: it is kept with the runs";
  const made = cell.runs?.circumstances ?? [];
  const each = (text) => [...new Set(made.map(text))].join("; ") || unknown;
  const versions = (one) =>
    Object.entries(one.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ");
  const facts = {
    Seeds: cell.seeds,
    Modalities: cell.modalities,
    "Fusion parameters": cell.fusion_params.toLocaleString("en"),
    "Model parameters": cell.total_params?.toLocaleString("en") ?? "-",
    "Learning rate": cell.rate,
    "Stopped early": cell.stopped,
    "Seconds per run": short(cell.seconds),
    Engine: cell.engine ?? "-",
    Commit: each((one) => one.commit ?? "none"),
    Machine: each((one) => one.machine),
    Versions: each(versions),
  };
  const list = element("dl");
  for (const [name, value] of Object.entries(facts)) list.append(element("dt", {}, name), element("dd", {}, String(value)));
  list.append(element("dt", {}, "Train it again"), element("dd", {}, element("code", {}, cell.repeat)));
  const first = cell.runs?.runs[0];
  if (first) {
    list.append(element("dt", {}, "Repeat a run to the bit"), element("dd", {}, element("code", {}, verifying(first))));
  }
  return list;
}

function scoresOf(csv, cell) {
  const rows = Object.entries(cell.scores).map(([metric, score]) => [
    data.metrics[metric].label,
    score.mean === null ? score.text : String(score.mean),
    score.low === null ? "-" : `[${score.low}, ${score.high}]`,
    score.std === null ? "-" : String(score.std),
    `${csv}, line ${score.line}`,
  ]);
  return tableOf(["Metric", "Mean", "95 % interval", "Deviation over seeds", "Row"], rows);
}

function drawSeeds(cell) {
  const points = cell.runs?.points ?? {};
  const metrics = Object.keys(points).filter((metric) => metric !== "diverged");
  if (!metrics.length) {
    const why = cell.runs
      ? "These numbers are computed from several cells, or no seed has a score."
      : "The values of the seeds are not beside this table. The command above makes them with the table, and the report then shows them.";
    dialog.append(element("p", {}, why));
    return;
  }
  const figure = element("div");
  const seedRange = [Math.min(...cell.runs.seeds) - 0.5, Math.max(...cell.runs.seeds) + 0.5];
  const show = (metric) =>
    draw(figure, () => {
      const { low, high, mean } = cell.scores[metric];
      const { color: ink, marker } = look(cell.fusion);
      const band = { type: "rect", yref: "paper", y0: 0, y1: 1, x0: low, x1: high, fillcolor: ink, opacity: 0.15, line: { width: 0 } };
      const line = { type: "line", yref: "paper", y0: 0, y1: 1, x0: mean, x1: mean, line: { color: ink, dash: "dot" } };
      return {
        traces: [
          {
            type: "scatter", mode: "markers", x: points[metric], y: cell.runs.seeds,
            marker,
            hovertext: points[metric].map((value, index) => `seed ${cell.runs.seeds[index]}: ${short(value)}`),
            hoverinfo: "text",
          },
        ],
        layout: {
          height: 340,
          shapes: low === null ? [line] : [band, line],
          xaxis: { title: { text: `${data.metrics[metric].label}; dotted: mean, shaded: 95 % interval` } },
          yaxis: { title: { text: "seed" }, tickformat: "d", dtick: Math.ceil(cell.runs.seeds.length / 10), range: seedRange },
        },
      };
    });
  const label = (metric) => [metric, data.metrics[metric].label];
  dialog.append(element("div", { class: "choices" }, choice("Score", metrics.map(label), metrics[0], show)), figure);
  show(metrics[0]);
}

function drawTuning(cell) {
  const rates = Object.entries(cell.tuning);
  const figure = element("div");
  dialog.append(element("h3", {}, "Tuning"), figure);
  const { color: ink } = look(cell.fusion);
  draw(figure, () => ({
    traces: [
      {
        type: "scatter", mode: "lines+markers", x: rates.map(([rate]) => Number(rate)), y: rates.map(([, loss]) => loss),
        marker: { color: rates.map(([rate]) => (rate === cell.rate.split(" ")[0] ? "#D55E00" : ink)), size: 9 },
        line: { color: ink, width: 1.5 },
        hovertext: rates.map(([rate, loss]) => `learning rate ${rate}: ${loss === null ? "diverged" : short(loss)}`),
        hoverinfo: "text",
      },
    ],
    layout: {
      height: 300,
      xaxis: { type: "log", title: { text: `learning rate; chosen: ${cell.rate}` } },
      yaxis: { title: { text: "validation loss" } },
    },
  }));
}

function drawLosses(runs) {
  const figure = element("div");
  const whose = (run) => (run.seed === undefined ? "mean of the seeds that were trained so long" : `seed ${run.seed}`);
  dialog.append(element("h3", {}, "Losses"), figure);
  const kinds = { loss: ["training", "--focus", "dot"], val_loss: ["validation", "--bad", "solid"] };
  draw(figure, () => ({
    traces: runs
      .filter((run) => run.losses)
      .flatMap((run, index) =>
        Object.entries(run.losses).map(([name, values]) => {
          const [label, ink, dash] = kinds[name] ?? [name, "--good", "dash"];
          return {
            type: "scatter", mode: "lines", x: run.epoch, y: values, name: label, legendgroup: label,
            showlegend: index === 0, line: { color: color(ink), width: 1.2, dash },
            hovertemplate: `${whose(run)}, ${label}, epoch %{x}: %{y:.4g}<extra></extra>`,
          };
        }),
      ),
    layout: { height: 360, xaxis: { title: { text: "epoch" } }, yaxis: { title: { text: "loss" } } },
  }));
}

function runsOf(runs) {
  const rows = runs.map((run) => [
    run.id,
    run.seed ?? "-",
    run.status ?? "not here",
    run.epochs ?? "-",
    short(run.seconds),
    short(run.rate),
    verifying(run),
  ]);
  const texts = rows.map((row) => row.map(String));
  return tableOf(["Run", "Seed", "Status", "Epochs", "Seconds", "Learning rate", "Repeat it"], texts);
}

// ---------------------------------------------------------------- the page

/** Shows what the address names, whatever is closed or filtered around it. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let around = target; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
  const row = target.closest("tr");
  if (row?.hidden) row.closest("details.results")?.querySelector(".filters")?.clear();
  if (target.hidden) document.querySelector('[data-filters="claims-table"]').clear();
  target.scrollIntoView({ block: row ? "center" : "start", inline: "nearest" });
}

function openRow(row) {
  openCell(row.dataset.table ?? row.closest("details.results").dataset.table, Number(row.dataset.cell));
}

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
for (const place of document.querySelectorAll(".filters")) makeFilters(place);
for (const row of document.querySelectorAll("tr[data-cell]")) {
  const header = row.cells[0];
  const button = element("button", { type: "button", "aria-haspopup": "dialog", onclick: () => openRow(row) });
  if (header.querySelector("a")) {
    button.append("runs");
    button.setAttribute("aria-label", `Runs of ${header.textContent}`);
    header.append(" ", button);
  } else {
    button.append(...header.childNodes);
    header.append(button);
  }
}
document.querySelectorAll("details.results").forEach((table, number) => (table.open = number === 0));
for (const pictures of document.querySelectorAll("details.pictures")) pictures.open = false;

const figures = { "beside-plot": drawBeside };
for (const [table, { plots }] of Object.entries(data.tables)) {
  for (const plot of plots) {
    reserve(document.getElementById(`${plot.id}-plot`), table, plot);
    figures[`${plot.id}-plot`] = (place) => drawSection(place, table, plot);
  }
}
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      figures[target.id](target);
    }
  },
  { rootMargin: "300px" },
);
for (const place of document.querySelectorAll(".plot")) seen.observe(place);

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  for (const details of closed) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of closed) details.open = false;
});
addEventListener("hashchange", reveal);
reveal();
