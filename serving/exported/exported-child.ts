/**
 * The process that answers with a folder as `model export` writes it, by the programs that go along with such folders: ours, from this project, put over
 * whatever lies in the folder under their names. It goes with whoever started it.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { exportedRequestSchema, type ExportedReply } from "./exported-message.ts";

type Answer = (rows: readonly object[]) => Promise<unknown>;
const openSchema = z.object({
  openPredictor: z.custom<() => Promise<unknown>>((value) => typeof value === "function"),
});
const predictorSchema = z.object({ answer: z.custom<Answer>((value) => typeof value === "function") });
const rowsSchema = storedList(storedList(z.number()));
const sentenceCharactersMax = 300;

let answer: Answer | null = null;

async function reply(message: unknown): Promise<ExportedReply> {
  const request = exportedRequestSchema.parse(message);
  const { id } = request;
  try {
    if (request.kind === "open") {
      const loaded: unknown = await import(pathToFileURL(join(request.folder, "predict.mjs")).href);
      ({ answer } = predictorSchema.parse(await openSchema.parse(loaded).openPredictor()));
      return { id, kind: "opened" };
    }
    if (answer === null) return { id, kind: "failed" };
    return { id, kind: "answered", rows: rowsSchema.parse(await answer(request.rows)) };
  } catch (error) {
    // Its own class of errors is the program's, which is loaded by its path.
    return error instanceof Error && error.constructor.name === "RowError"
      ? { id, kind: "unfit", why: error.message.slice(0, sentenceCharactersMax) }
      : { id, kind: "failed" };
  }
}

let before: Promise<void> = Promise.resolve();
process.on("message", (message) => {
  before = before.then(async () => void process.send?.(await reply(message)));
});
process.once("disconnect", () => process.exit(0));
// Ctrl-c is for whoever started it, and answers what was asked first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
