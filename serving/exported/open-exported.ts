/**
 * MODEL-RUN-6. A folder of our own export, as safetensors, that comes back as what a program left: its data is read by our own programs, in a process of
 * their own. No program of the folder's is run.
 */
import { copyFile, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { sentenceText, storedList } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { EngineProcess, engineLimits, type EngineLimits } from "../engine/engine-process.ts";
import { safetensorsPrograms } from "../export/export-format.ts";
import { transformFormat } from "../export/transform-description.ts";
import type { Answers, InputRows, ServedModel, Signature, VersionName } from "../model/served-model.ts";
import { exportedReplySchema, type ExportedReply } from "./exported-message.ts";

export interface ExportedOptions {
  /** Kept there, and written to, until the model is disposed. */
  readonly folder: string;
  readonly name: VersionName;
  readonly limits?: EngineLimits;
  /** Called once, when the model is disposed. */
  readonly onDispose?: () => void;
}

const describedSchema = z.object({
  format: z.literal("trialmesh-transform"),
  version: z.int(),
  labels: storedList(sentenceText).min(2).nullable(),
  target: sentenceText,
  columns: storedList(
    z.object({ name: sentenceText, kind: z.enum(["text", "number", "category"]), optional: z.boolean() }),
  ).min(1),
});

export async function openExported(options: ExportedOptions): Promise<Outcome<ServedModel>> {
  const { folder, limits = engineLimits, name, onDispose = () => undefined } = options;
  const wrong = (why: string) =>
    refuse("conflict", `${name.model}@${name.version}: the exported folder cannot be served: ${why}`);
  const described = describedSchema.safeParse(await jsonIn(join(folder, "transform.json")));
  if (!described.success) return wrong("its transform.json is none of an export");
  if (described.data.version > transformFormat)
    return wrong("a newer trialmesh has written it; update this one");
  for (const [file, program] of Object.entries(safetensorsPrograms))
    if (file.endsWith(".mjs"))
      await copyFile(join(projectFolder, "serving", "export", "program", program), join(folder, file));
  const engine = new ExportedEngine(folder, limits);
  const opened = await engine.open();
  if (!opened.ok) {
    engine.close();
    return wrong(opened.refusal.message);
  }
  const { columns, labels, target } = described.data;
  const model = exportedModel(name, { inputs: columns, labels, target }, engine, onDispose);
  return accept(model);
}

async function jsonIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null;
  }
}

function exportedModel(
  name: VersionName,
  signature: Signature,
  engine: ExportedEngine,
  onDispose: () => void,
): ServedModel {
  const width = signature.labels?.length ?? 1;
  return {
    ...name,
    ...{ task: "command", algorithm: "exported", signature, answerTexts: null },
    answer: async (rows) => {
      const answered = await engine.answer(rows);
      if (!answered.ok) return answered;
      const numbers = Float32Array.from(answered.value.flat());
      if (numbers.length !== rows.count * width)
        return refuse("unavailable", "the model gave another number of answers");
      const answers: Answers =
        signature.labels === null
          ? { kind: "values", values: numbers }
          : { kind: "labels", probabilities: numbers };
      return accept(answers);
    },
    dispose: () => {
      engine.close();
      onDispose();
    },
  };
}

/** Started again with the next request where it has ended. */
class ExportedEngine {
  readonly #folder: string;
  readonly #limits: EngineLimits;
  #child: EngineProcess<ExportedReply> | null = null;
  #isClosed = false;

  constructor(folder: string, limits: EngineLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  async open(): Promise<Outcome<null>> {
    if (this.#isClosed) return refuse("unavailable", "the model is closed");
    const here = fileURLToPath(import.meta.url);
    this.#child = new EngineProcess({
      entry: fileURLToPath(new URL(`./exported-child${extname(here)}`, import.meta.url)),
      environment: process.env,
      heldMaxMiB: this.#limits.heldMaxMiB,
      parse: (message) => exportedReplySchema.safeParse(message).data ?? null,
    });
    const reply = await this.#child.ask({ kind: "open", folder: this.#folder }, this.#limits.loadMaxMs);
    if (reply.kind === "opened") return accept(null);
    return refuse(
      "invalid",
      reply.kind === "gone"
        ? `its engine ${reply.why} while it was loaded`
        : "its files are damaged, or do not belong together",
    );
  }

  async answer({ columns, count }: InputRows): Promise<Outcome<readonly (readonly number[])[]>> {
    if (this.#child === null || this.#child.isGone) {
      const again = await this.open();
      if (!again.ok) return again;
    }
    const rows = Array.from({ length: count }, (_, row) =>
      Object.fromEntries(
        [...columns].map(([name, values]): [string, Value | null] => [name, values[row] ?? null]),
      ),
    );
    const reply = await this.#child?.ask({ kind: "answer", rows }, this.#limits.runMaxMs);
    switch (reply?.kind) {
      case "answered":
        return accept(reply.rows);
      case "unfit":
        return refuse("invalid", reply.why);
      case "gone":
        return refuse("unavailable", `the model's engine ${reply.why} over this request`);
      default:
        return refuse("unavailable", "the model failed at these rows");
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#child?.kill("was closed");
  }
}
