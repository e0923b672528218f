/**
 * The limit: bare `node:http` with the same route, model and answer, and nothing of a server besides: no checks, ids, metrics, keys or
 * batches. node-http-child.js MODEL_FILE
 */
import { createServer } from "node:http";
import * as z from "zod";
import { openTrec } from "./trained-model.ts";

const model = await openTrec(process.argv[2] ?? "");
const { answerTexts } = model;
const labels = model.signature.labels ?? [];
if (answerTexts === null) throw new Error("the model answers no texts");

function answer(body: string): string {
  const request = JSON.parse(body) as { id?: string; inputs: [{ data: string[] }] };
  const [{ data }] = request.inputs;
  const probabilities = answerTexts?.(data) ?? new Float32Array(0);
  const best = data.map((_, row) => {
    const own = probabilities.subarray(row * labels.length, (row + 1) * labels.length);
    return labels[own.indexOf(Math.max(...own))];
  });
  return JSON.stringify({
    model_name: "trec",
    model_version: "1",
    id: request.id,
    outputs: [
      { name: "label", datatype: "BYTES", shape: [data.length], data: best },
      {
        name: "probabilities",
        datatype: "FP32",
        shape: [data.length, labels.length],
        data: [...probabilities],
      },
    ],
  });
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const [only] = parts;
    const text = answer(
      parts.length === 1 && only !== undefined ? only.toString() : Buffer.concat(parts).toString(),
    );
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = z.object({ port: z.number() }).parse(server.address());
  console.log(`listening at http://127.0.0.1:${port}`);
});
