/** The thread that thinks: one question after the other, each with its number. The other side is `worker-thinker.ts`. */
import { parentPort } from "node:worker_threads";
import { answerTo, type Question } from "../../search/choose/sampler-worker.ts";

export interface Asked {
  readonly number: number;
  readonly question: Question;
}

export type Thought =
  | { readonly number: number; readonly ok: true; readonly answer: ReturnType<typeof answerTo> }
  | { readonly number: number; readonly ok: false; readonly why: string };

parentPort?.on("message", ({ number, question }: Asked) => {
  let thought: Thought;
  try {
    thought = { number, ok: true, answer: answerTo(question) };
  } catch (error) {
    thought = { number, ok: false, why: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(thought);
});
