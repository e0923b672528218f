/**
 * Runs in a report's page: draws the charts it is given and keeps them to the trials that are brushed. Knows
 * nothing of sweeps; `echarts` comes from the script before it.
 */
/* global document, echarts, matchMedia, window */
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- the project has no types of a browser's */

const { charts, lossSign, progressAxes, rows, valueColumn } = JSON.parse(
  document.getElementById("data").textContent,
);
const darkness = matchMedia("(prefers-color-scheme: dark)");
const theme = () => (darkness.matches ? "dark" : "default");

const drawn = charts.map((chart) => {
  const place = document.getElementById(chart.id);
  const view = echarts.init(place, theme(), { renderer: "svg" });
  view.setOption({
    backgroundColor: "transparent",
    animation: false,
    aria: { enabled: true, label: { description: chart.about } },
    ...chart.option,
    ...(chart.linked ? { dataset: { source: rows, sourceHeader: false } } : {}),
  });
  return { ...chart, view };
});

window.addEventListener("resize", () => {
  for (const { view } of drawn) view.resize();
});
darkness.addEventListener("change", () => {
  for (const { view } of drawn) view.setTheme(theme());
});

const progress = drawn.find(({ id }) => id === "progress");
for (const button of document.querySelectorAll("input[name=progress-axis]")) {
  button.addEventListener("change", () => {
    const axis = progressAxes.find(({ key }) => key === button.value);
    progress.view.setOption({ xAxis: { name: axis.title }, series: [{ encode: { x: axis.column } }] });
  });
}

/** Indices of the brushed rows; null where no range is brushed. */
let brushed = null;
/** Rows ranked this far down count among the best share that is kept. */
const ranks = new Map(
  rows.toSorted((a, b) => lossSign * (a[valueColumn] - b[valueColumn])).map((row, rank) => [row, rank]),
);
const keep = document.getElementById("keep");

/** Shows only what is brushed and among the best share chosen: in the linked charts and in the table. */
function filter() {
  const inRange = brushed === null ? rows : brushed.map((index) => rows[index]);
  const most = Math.ceil(Number(keep.value) * rows.length);
  const kept = inRange.filter((row) => ranks.get(row) < most);
  for (const { linked, view } of drawn) {
    if (linked) view.setOption({ dataset: { source: kept, sourceHeader: false } });
  }
  const names = new Set(kept.map(([trial]) => trial));
  // The table has trials too that no chart draws: those go where anything is filtered.
  const isWhole = kept.length === rows.length;
  for (const row of document.querySelectorAll("#best tbody tr"))
    row.hidden = !isWhole && !names.has(row.dataset.trial);
  document.getElementById("selection").textContent =
    kept.length === rows.length ? "" : `${kept.length} of ${rows.length} trials are shown.`;
}

keep?.addEventListener("change", filter);

const parallel = drawn.find(({ id }) => id === "parallel");
parallel?.view.on("axisareaselected", () => {
  const series = parallel.view.getModel().getSeriesByIndex(0);
  const active = series.getRawIndicesByActiveState("active");
  const inactive = series.getRawIndicesByActiveState("inactive");
  // Without any range, trials are neither.
  brushed = active.length + inactive.length === 0 ? null : active;
  filter();
});
