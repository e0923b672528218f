/** A canary that is worse by a rule, beside an incumbent, asked one request after another as the server does it, without a socket. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { accept } from "../../protocol/refusal.ts";
import type { Lane } from "../../serving/batch/lane.ts";
import type { Answers, ServedModel } from "../../serving/model/served-model.ts";
import type { Reading } from "../../serving/protocol/http-refusal.ts";
import type { ModelTable } from "../../serving/server/model-table.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { laneFor } from "./serving-place.ts";
import { standInAnswer, textModel } from "./stand-in-model.ts";

/** How a canary is worse: it fails, it answers otherwise and nobody knows the truth, or callers tell the truth. */
export type Worse = "errors" | "labels" | "truth";
export const requestsMax = 2_000;

/** From [0, 1), by the text alone. */
export function luckOf(text: string, seed: number): number {
  return createHash("sha256").update(`${seed} ${text}`).digest().readUInt32LE(0) / 2 ** 32;
}

/** Version 8 of what `textModel` is version 7 of. */
export function worseModel(worse: number, how: Worse, seed: number): ServedModel {
  const like = textModel({ version: 8 });
  const answerTexts = (texts: readonly string[]) => {
    const rows = texts.map((text) => {
      const right = standInAnswer(text);
      if (luckOf(text, seed) >= worse) return right;
      if (how === "errors") throw new Error("a fault inside the model");
      return [...right.slice(1), right[0] ?? 0];
    });
    return Float32Array.from(rows.flat());
  };
  return {
    ...like,
    answerTexts,
    answer: (asked) =>
      accept({
        kind: "labels",
        probabilities: answerTexts((asked.columns.get("text") ?? []).map(String)),
      }),
  };
}

interface TrialOptions {
  readonly how: Worse;
  readonly worse: number;
  readonly seed: number;
  readonly share: number;
  readonly table?: ModelTable;
  readonly incumbent?: Lane;
}

export interface OpenTrial {
  readonly options: TrialOptions;
  readonly desk: RolloutDesk;
  /** Why the canary was taken off, each time. */
  readonly off: unknown[];
  /** Callers who heard of a fault. */
  readonly failed: () => number;
  /** Asks as a caller does. */
  readonly ask: (id: string, text: string) => Promise<void>;
}

export function openTrial(options: TrialOptions): OpenTrial {
  const off: unknown[] = [];
  const { how, seed, share, table, worse } = options;
  const desk = new RolloutDesk({
    ...{ alpha: 0.01, agreement: 0.98, copyShare: 1, promoteAfter: null, shadow: null },
    canary: { lane: laneFor(worseModel(worse, how, seed)), share },
    incumbent: options.incumbent ?? laneFor(textModel()),
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onPromote: () => undefined,
    onCanaryOff: (why) => void off.push(why),
  });
  table?.try(desk);
  let failed = 0;
  const askOf = (lane: Lane, id: string, text: string) =>
    new Promise<void>((resolve) => {
      const rows = { kind: "texts", count: 1, texts: [text] } as const;
      const started = performance.now();
      const done = (answer: Reading<Answers>) => {
        if (!answer.ok && desk.isCanary(lane)) {
          desk.failed(id, lane, rows, answer);
          return resolve(askOf(desk.incumbent, id, text));
        }
        if (!answer.ok) failed++;
        desk.answered(id, lane, rows, answer, performance.now() - started);
        resolve();
      };
      assert.equal(lane.ask({ rows, bytes: 0, isGone: () => false, done }), null);
    });
  return {
    options,
    desk,
    off,
    failed: () => failed,
    ask: (id, text) => askOf(desk.laneFor(id), id, text),
  };
}

/** After how many requests the canary was taken off; null where it was not, all copies answered. */
export async function askTrial(
  { ask, desk, options, off }: OpenTrial,
  requests: number,
): Promise<number | null> {
  for (let at = 1; at <= requests; at++) {
    const text = `request ${options.seed} ${at}`;
    const id = `${options.seed}x${at.toString(36)}`;
    await ask(id, text);
    const right = standInAnswer(text);
    if (options.how === "truth") desk.tell(id, [right.indexOf(Math.max(...right))]);
    if (off.length > 0) return at;
    // As between two requests that come over a socket.
    if (at % 8 === 0) await turn();
  }
  while (desk.copies.waiting > 0) await turn();
  return off.length > 0 ? requests : null;
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
