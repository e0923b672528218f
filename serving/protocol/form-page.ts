/**
 * One web page with a form to try a model. It asks the server for what stands in it, brings nothing from elsewhere, and its policy
 * lets nothing but its own script and style run. All that it shows is put in as text.
 */
import { createHash } from "node:crypto";

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0 0.25rem; font-weight: 600; }
textarea, input, select { width: 100%; box-sizing: border-box; font: inherit; padding: 0.4rem; }
button { margin-top: 1rem; font: inherit; padding: 0.4rem 1.2rem; }
table { border-collapse: collapse; margin-top: 1rem; }
td { padding: 0.1rem 1rem 0.1rem 0; }
meter { width: 12rem; }
#error { color: #c0392b; margin-top: 1rem; }
#about { opacity: 0.7; }
`;

const script = `
const at = (id) => document.getElementById(id);
const make = (tag, text) => { const one = document.createElement(tag); one.textContent = text; return one; };
let columns = [];
const ask = async (path, body) => {
  const key = at("key").value;
  const headers = key === "" ? {} : { authorization: "Bearer " + key };
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method: body === undefined && path !== "v2/repository/index" ? "GET" : "POST", headers, body });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
};
const guarded = (run) => async (event) => {
  event?.preventDefault();
  at("error").textContent = "";
  try { await run(); at("needs-key").hidden = at("key").value === ""; }
  catch (fault) {
    at("error").textContent = fault.message;
    if (/key/.test(fault.message)) at("needs-key").hidden = false;
  }
};
const showModels = guarded(async () => {
  const models = await ask("v2/repository/index");
  at("model").replaceChildren(...models.map(({ name }) => make("option", name)));
  await showModel();
});
const showModel = guarded(async () => {
  const about = await ask("v2/models/" + encodeURIComponent(at("model").value));
  const { digest, optional, version } = about.parameters;
  at("about").textContent = about.name + "@" + version + ", " + digest.slice(0, 12);
  columns = about.inputs;
  at("fields").replaceChildren(...columns.flatMap(({ datatype, name }) => {
    const label = make("label", name + (optional.includes(name) ? " (optional)" : ""));
    const field = document.createElement(columns.length === 1 && datatype === "BYTES" ? "textarea" : "input");
    if (datatype !== "BYTES") { field.type = "number"; field.step = "any"; }
    field.name = name;
    field.id = label.htmlFor = "field-" + name;
    return [label, field];
  }));
});
const answerRow = (label, share) => {
  const row = document.createElement("tr");
  const meter = document.createElement("meter");
  meter.value = share;
  row.append(make("td", label), make("td", share.toFixed(4)), document.createElement("td"));
  row.lastChild.append(meter);
  return row;
};
const predict = guarded(async () => {
  const row = {};
  for (const { datatype, name } of columns) {
    const { value } = at("field-" + name);
    if (value !== "") row[name] = datatype === "BYTES" ? value : Number(value);
  }
  at("answer").replaceChildren();
  const { answer, predictions } = await ask("predict/" + encodeURIComponent(at("model").value), JSON.stringify({ rows: [row] }));
  const [given] = predictions;
  at("label").textContent = given.label ?? String(given.value);
  const shares = Object.entries(given.probabilities ?? {}).sort((a, b) => b[1] - a[1]);
  at("answer").replaceChildren(...shares.map(([label, share]) => answerRow(label, share)));
  at("answer-id").textContent = answer;
});
at("model").addEventListener("change", showModel);
at("key").addEventListener("change", showModels);
at("form").addEventListener("submit", predict);
void showModels();
`;

export const formPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Try a model</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<h1>Try a model</h1>
<form id="form">
<div id="needs-key" hidden><label for="key">Key</label><input id="key" type="password" autocomplete="off"></div>
<label for="model">Model</label><select id="model"></select>
<div id="about"></div>
<div id="fields"></div>
<button>Predict</button>
</form>
<div id="error" role="alert"></div>
<h2 id="label" aria-live="polite"></h2>
<table><tbody id="answer"></tbody></table>
<p id="answer-id"></p>
<p><a href="openapi.json">OpenAPI</a> · <a href="metrics">Metrics</a></p>
<script>${script}</script>
</body>
</html>
`;

/** The page's Content-Security-Policy. */
export const formPolicy = [
  "default-src 'none'",
  `script-src ${sourceOf(script)}`,
  `style-src ${sourceOf(style)}`,
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function sourceOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
