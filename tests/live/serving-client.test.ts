/**
 * The clients that people have, as their makers ship them: Triton's, MLflow's and curl, and a browser on the form. pip brings the first two
 * in; where one cannot be had, that is said.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as z from "zod";
import { broughtPython, pythonIn } from "../support/brought-folder.ts";
import { Browser, findChromium } from "../support/browser.ts";
import { ServingPlace } from "../support/serving-place.ts";
import { standInAnswer, standInLabels, tableModel, textModel } from "../support/stand-in-model.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const runMs = 120_000;
const triton = broughtPython("tritonclient-2.73.0", ["tritonclient[http]==2.73.0"]);
const mlflow = broughtPython("mlflow-3.17.2", ["mlflow==3.17.2"]);
const chromium = findChromium();

let place: ServingPlace;
before(async () => {
  place = await ServingPlace.open({ models: [textModel(), tableModel()] });
});
after(async () => {
  await place.door.drain(1_000);
});

async function ask(python: typeof triton, script: string): Promise<unknown> {
  assert.ok(python.ok);
  // Not awaited by blocking: this process is the server.
  const { stdout } = await run(pythonIn(python.home), ["-c", script, place.url.replace("http://", "")], {
    timeout: runMs,
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const texts = ["How far is it ?", "Wer war es – \u{1f600}"];
const best = texts.map((text) => {
  const row = standInAnswer(text);
  return standInLabels[row.indexOf(Math.max(...row))];
});

const tritonScript = `
import json, sys
import numpy as np, tritonclient.http as http
client = http.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("trec") and not client.is_model_ready("other")
assert client.get_server_metadata()["name"] == "trialmesh" and client.get_model_config("trec")["name"] == "trec"
assert client.get_inference_statistics("trec")["model_stats"] and client.get_model_repository_index()[0]["name"] == "trec"
texts = np.array(json.loads('${JSON.stringify(texts)}'), dtype=object)
answers, refusals = [], []
for binary in (True, False):
    for wanted in (None, True, False):
        for packing in (None, "gzip", "deflate"):
            sent = http.InferInput("text", [len(texts)], "BYTES")
            sent.set_data_from_numpy(texts, binary_data=binary)
            outputs = None if wanted is None else [http.InferRequestedOutput(n, binary_data=wanted) for n in ("probabilities", "label")]
            got = client.infer("trec", [sent], outputs=outputs, request_id="q", model_version="7", request_compression_algorithm=packing)
            labels = [l.decode() if isinstance(l, bytes) else l for l in got.as_numpy("label").ravel().tolist()]
            answers.append([labels, got.as_numpy("probabilities").tolist(), got.get_response()["id"]])
classes = client.infer("trec", [sent], outputs=[http.InferRequestedOutput("probabilities", class_count=1)]).as_numpy("probabilities")
size = http.InferInput("size", [2, 1], "FP32"); size.set_data_from_numpy(np.array([[1.5], [2]], dtype=np.float32))
kind = http.InferInput("kind", [2], "BYTES"); kind.set_data_from_numpy(np.array(["big", "small"], dtype=object))
note = http.InferInput("note", [2], "FP64"); note.set_data_from_numpy(np.array([1, np.nan]))
prices = client.infer("price", [size, kind, note]).as_numpy("value").tolist()
for change in (lambda: sent.set_shape([3]), lambda: setattr(sent, "_name", "other")):
    sent = http.InferInput("text", [2], "BYTES"); sent.set_data_from_numpy(texts); change()
    try: client.infer("trec", [sent])
    except Exception as refused: refusals.append(str(refused))
print(json.dumps([answers, classes.tolist(), prices, refusals]))
`;

test(
  "SERVE-1: Triton's client, binary and JSON, packed and not, is answered alike",
  { skip: triton.ok ? false : triton.why },
  async () => {
    const schema = z.tuple([
      z.array(z.tuple([z.array(z.string()), z.array(z.array(z.number())), z.string()])),
      z.array(z.unknown()),
      z.array(z.number()),
      z.array(z.string()),
    ]);
    const [answers, classes, prices, refusals] = schema.parse(
      await ask(triton, tritonScript.replace("classes.tolist()", "[str(c) for c in classes.ravel()]")),
    );
    assert.equal(answers.length, 18);
    for (const [labels, probabilities, id] of answers) {
      assert.deepEqual(labels, best);
      assert.deepEqual(
        probabilities.map((row) => row.map(Math.fround)),
        texts.map((text) => standInAnswer(text)),
      );
      assert.equal(id, "q");
    }
    assert.equal(classes.length, 2);
    assert.deepEqual(prices, [11.5, 1]);
    assert.equal(refusals.length, 2);
    for (const refusal of refusals) assert.match(refusal, /^\[400\] .*"(text|other)"/);
  },
);

const mlflowScript = `
import json, sys
import pandas
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
host, port = sys.argv[1].split(":")
client = ScoringServerClient(host, int(port))
client.ping()
rows = pandas.DataFrame({"text": json.loads('${JSON.stringify(texts)}'), "more": [1, 2]})
got = client.invoke(rows).get_predictions()
try: client.invoke(pandas.DataFrame({"other": [1]})); refused = ""
except Exception as error: refused = str(error)
print(json.dumps([got["label"].tolist(), refused]))
`;

test("SERVE-1: MLflow's scoring client is answered", { skip: mlflow.ok ? false : mlflow.why }, async () => {
  const [labels, refused] = z.tuple([z.array(z.string()), z.string()]).parse(await ask(mlflow, mlflowScript));
  assert.deepEqual(labels, best);
  assert.match(refused, /text/);
});

test("SERVE-1: curl without any header is answered", async () => {
  const { stdout } = await run(
    "curl",
    ["-s", `${place.url}/predict/trec`, "-d", JSON.stringify({ text: texts[0] })],
    { timeout: runMs },
  );
  assert.equal(z.looseObject({ label: z.string() }).parse(JSON.parse(stdout)).label, best[0]);
});

test(
  "SERVE-16: the form answers in a browser, asks nobody else, and its policy stops nothing of its own",
  { skip: chromium === null ? "no Chromium here" : false },
  async () => {
    assert.ok(chromium !== null);
    const browser = await Browser.open(chromium, 900, 700);
    try {
      await browser.go(`${place.url}/`);
      const text = (id: string) =>
        browser.evaluate(z.string(), `document.getElementById("${id}").textContent`);
      await until("the fields", async () => ((await text("fields")) === "text" ? true : null));
      assert.match(await text("about"), /^trec@7, abab/);
      await browser.evaluate(
        z.unknown(),
        `document.getElementById("field-text").value = ${JSON.stringify(texts[0])}; document.querySelector("button").click()`,
      );
      assert.equal(await until("an answer", async () => (await text("label")) || null), best[0]);
      const shown = await browser.evaluate(z.number(), `document.querySelectorAll("#answer tr").length`);
      assert.equal(shown, standInLabels.length);
      await browser.evaluate(
        z.unknown(),
        `document.getElementById("field-text").value = ""; document.querySelector("button").click()`,
      );
      await until("the refusal", async () => ((await text("error")) === "" ? null : true));
      await browser.evaluate(
        z.unknown(),
        `document.getElementById("model").value = "price"; document.getElementById("model").dispatchEvent(new Event("change"))`,
      );
      await until("the table's fields", async () =>
        (await text("fields")) === "sizekindnote (optional)" ? true : null,
      );
      for (const url of browser.requested)
        assert.ok(url.startsWith(place.url) || url.startsWith("data:"), url);
      assert.deepEqual(
        browser.complaints.filter((one) => !one.includes("400")),
        [],
      );
    } finally {
      await browser.close();
    }
  },
);
