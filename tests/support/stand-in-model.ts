/** Models that answer by a rule of their own, each text or row differently, so that an answer that went to somebody else is seen. */
import { createHash } from "node:crypto";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Answers, InputRows, ServedModel, Signature } from "../../serving/model/served-model.ts";

export const standInLabels = ["ABBR", "DESC", 'ENTY "quoted"', "HÜM"];

/** What the stand-in of texts answers to one: [labels]. */
export function standInAnswer(text: string, labels = standInLabels.length): number[] {
  const bytes = createHash("sha256").update(text).digest();
  const parts = Array.from({ length: labels }, (_, at) => 1 + (bytes[at] ?? 0));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => Math.fround(part / sum));
}

interface StandInOptions {
  readonly version?: number;
  readonly model?: string;
  /** Asked by `answer` alone, as a model in another thread is. */
  readonly isAsync?: boolean;
  readonly onDispose?: () => void;
  /** Told of each batch. */
  readonly onBatch?: (rows: number) => void;
  /** Before an answer of an asynchronous one. */
  readonly wait?: () => Promise<void>;
}

export function textModel(options: StandInOptions = {}): ServedModel {
  const {
    isAsync = false,
    model = "trec",
    onBatch,
    onDispose = () => undefined,
    version = 7,
    wait,
  } = options;
  const signature: Signature = {
    inputs: [{ name: "text", kind: "text", optional: false }],
    labels: standInLabels,
    target: "label",
  };
  // One buffer for all calls, as the contract allows: whoever keeps an answer has to copy it.
  let shared = new Float32Array(0);
  const answerTexts = (texts: readonly string[]) => {
    onBatch?.(texts.length);
    const size = texts.length * standInLabels.length;
    if (shared.length < size) shared = new Float32Array(size);
    shared.fill(-1);
    for (const [row, text] of texts.entries()) shared.set(standInAnswer(text), row * standInLabels.length);
    return shared.subarray(0, size);
  };
  const answer = async (rows: InputRows): Promise<Outcome<Answers>> => {
    await wait?.();
    const texts = (rows.columns.get("text") ?? []).map(String);
    const bad = texts.indexOf("refuse me");
    if (bad >= 0) return refuse("invalid", `row ${bad + 1} is not for this model`);
    if (texts.includes("throw")) throw new Error("a fault inside the model");
    return accept({ kind: "labels", probabilities: answerTexts(texts).slice() });
  };
  return {
    ...{
      model,
      version,
      digest: "ab".repeat(32),
      task: "text-classification",
      algorithm: "linear",
      signature,
    },
    answer,
    answerTexts: isAsync ? null : answerTexts,
    dispose: onDispose,
  };
}

/** Of a thousand labels, all alike. */
export function wideModel(): ServedModel {
  const labels = Array.from({ length: 1_000 }, (_, at) => `label ${at}`);
  const like = textModel({ model: "wide" });
  const answerTexts = (texts: readonly string[]) =>
    new Float32Array(texts.length * labels.length).fill(1 / labels.length);
  return { ...like, signature: { ...like.signature, labels }, answerTexts };
}

/** Gives `size` + 10 × (`kind` is "big") − (`note` is there ? 0 : 1). */
export function tableModel(): ServedModel {
  return {
    ...{ model: "price", version: 3, digest: "cd".repeat(32), task: "tabular", algorithm: "forest" },
    signature: {
      inputs: [
        { name: "size", kind: "number", optional: false },
        { name: "kind", kind: "category", optional: false },
        { name: "note", kind: "number", optional: true },
      ],
      labels: null,
      target: "price",
    },
    answer: ({ columns, count }) => {
      const [sizes, kinds, notes] = ["size", "kind", "note"].map((name) => columns.get(name) ?? []);
      const values = Float32Array.from({ length: count }, (_, row) => {
        const big = kinds?.[row] === "big" ? 10 : 0;
        return Number(sizes?.[row]) + big - (notes?.[row] === null ? 1 : 0);
      });
      return accept({ kind: "values", values });
    },
    answerTexts: null,
    dispose: () => undefined,
  };
}
