/** Triton's own client of gRPC, as its makers ship it, over plain HTTP/2 and over TLS with a key; where pip cannot bring it in, that is said. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import * as z from "zod";
import { serveModels, type Serving } from "../../client/serve/serve-models.ts";
import { accept } from "../../protocol/refusal.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import type { ServingTls } from "../../serving/server/http-door.ts";
import { broughtPython, pythonIn } from "../support/brought-folder.ts";
import { standInAnswer, standInLabels, tableModel, textModel } from "../support/stand-in-model.ts";

const run = promisify(execFile);
const triton = broughtPython("tritonclient-grpc-2.73.0", ["tritonclient[grpc]==2.73.0"]);
const why = triton.ok
  ? spawnSync("openssl", ["version"]).status === 0
    ? false
    : "there is no openssl here"
  : triton.why;
const texts = ["How far is it ?", "Wer war es – \u{1f600}"];
const token = "0123456789abcdef";

async function served(tls: ServingTls | null): Promise<Serving> {
  const keys = CallerKeys.read(`alice ${token}`);
  assert.ok(keys.ok);
  const isText = (reference: string) => reference.startsWith("trec");
  const serving = await serveModels({
    ...{ references: ["trec@champion", "price@3"], tls, keys: tls === null ? null : keys.value },
    ...{ address: { host: "127.0.0.1", port: 0 }, grpc: { host: "127.0.0.1", port: 0 } },
    open: (reference) => Promise.resolve(accept(isText(reference) ? textModel() : tableModel())),
    resolve: (reference) =>
      Promise.resolve(
        accept({ model: isText(reference) ? "trec" : "price", version: isText(reference) ? 7 : 3 }),
      ),
    say: () => undefined,
  });
  assert.ok(serving.ok, serving.ok ? "" : serving.refusal.message);
  return serving.value;
}

const script = `
import json, sys
import numpy as np, tritonclient.grpc as grpc
address, authority, token = sys.argv[1:]
client = grpc.InferenceServerClient(address, ssl=authority != "", root_certificates=authority or None)
headers = {"authorization": "Bearer " + token} if token else None
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("trec", headers=headers) and not client.is_model_ready("other", headers=headers)
assert client.get_server_metadata(headers=headers).name == "trialmesh"
about = client.get_model_metadata("price", headers=headers)
texts = np.array(json.loads('${JSON.stringify(texts)}'), dtype=object)
answers, refusals = [], []
for wanted in (None, True):
    for packing in (None, "gzip", "deflate"):
        sent = grpc.InferInput("text", [len(texts)], "BYTES"); sent.set_data_from_numpy(texts)
        outputs = None if wanted is None else [grpc.InferRequestedOutput(n) for n in ("probabilities", "label")]
        got = client.infer("trec", [sent], outputs=outputs, request_id="q", model_version="7", compression_algorithm=packing, headers=headers)
        labels = [l.decode() for l in got.as_numpy("label").ravel().tolist()]
        answers.append([labels, got.as_numpy("probabilities").tolist(), got.get_response().id, got.get_response().parameters["answer"].string_param])
classes = client.infer("trec", [sent], outputs=[grpc.InferRequestedOutput("probabilities", class_count=1)], headers=headers).as_numpy("probabilities")
size = grpc.InferInput("size", [2, 1], "FP32"); size.set_data_from_numpy(np.array([[1.5], [2]], dtype=np.float32))
kind = grpc.InferInput("kind", [2], "BYTES"); kind.set_data_from_numpy(np.array(["big", "small"], dtype=object))
note = grpc.InferInput("note", [2], "FP64"); note.set_data_from_numpy(np.array([1, np.nan]))
prices = client.infer("price", [size, kind, note], headers=headers).as_numpy("value").tolist()
def refused(call):
    try: call()
    except Exception as refusal: refusals.append(str(refusal.status()) + " " + refusal.message())
refused(lambda: client.infer("none", [sent], headers=headers))
refused(lambda: client.infer("price", [size], headers=headers))
refused(lambda: client.get_model_config("trec", headers=headers))
if token: refused(lambda: client.infer("trec", [sent]))
heard = []
for _ in range(200): client.async_infer("trec", [sent], callback=lambda result, error: heard.append(error is None), headers=headers)
import time
while len(heard) < 200: time.sleep(0.01)
print(json.dumps([answers, [str(c) for c in classes.ravel()], prices, refusals, all(heard), [t.name for t in about.inputs]]))
`;

const printedSchema = z.tuple([
  z.array(z.tuple([z.array(z.string()), z.array(z.array(z.number())), z.string(), z.string()])),
  z.array(z.string()),
  z.array(z.number()),
  z.array(z.string()),
  z.boolean(),
  z.array(z.string()),
]);

async function ask(address: string, authority: string, key: string) {
  assert.ok(triton.ok);
  const words = ["-c", script, address, authority, key];
  const { stdout } = await run(pythonIn(triton.home), words, { timeout: 120_000 });
  return printedSchema.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
}

const best = texts.map(
  (text) => standInLabels[standInAnswer(text).indexOf(Math.max(...standInAnswer(text)))],
);

/** A certificate of its own for 127.0.0.1. */
function ownCertificate(folder: string): { readonly tls: ServingTls; readonly authority: string } {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost";
  const names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  execFileSync("openssl", [...words.split(" "), ...names, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }, authority: cert };
}

test("SERVE-22: Triton's client asks as it does of its own server", { skip: why }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-grpc-"));
  const own = ownCertificate(folder);
  try {
    for (const { authority, tls } of [{ tls: null, authority: "" }, own]) {
      const serving = await served(tls);
      try {
        const key = tls === null ? "" : token;
        const [answers, classes, prices, refusals, isAll, inputs] = await ask(
          serving.grpcAddress ?? "",
          authority,
          key,
        );
        assert.equal(answers.length, 6);
        for (const [labels, probabilities, id, answer] of answers) {
          assert.deepEqual(labels, best);
          assert.deepEqual(
            probabilities.map((row) => row.map(Math.fround)),
            texts.map((text) => standInAnswer(text)),
          );
          assert.equal(id, "q");
          assert.match(answer, /^trec@7~/);
        }
        assert.equal(classes.length, 2);
        assert.deepEqual([prices, isAll, inputs], [[11.5, 1], true, ["size", "kind", "note"]]);
        const right = [
          /NOT_FOUND .*"none"/,
          /INVALID_ARGUMENT .*"kind" is missing/,
          /UNIMPLEMENTED .*ModelConfig/,
        ];
        for (const [at, sentence] of [...right, ...(key === "" ? [] : [/UNAUTHENTICATED .*key/])].entries())
          assert.match(refusals[at] ?? "", sentence);
      } finally {
        await serving.drain(1_000);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 });
  }
});
