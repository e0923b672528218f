/** The thread that samplers run in: one question after the other, each with its number. The other side is `sampler-worker.ts`. */
import { parentPort } from "node:worker_threads";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { answerTo, type Question } from "../../search/choose/sampler-worker-port.ts";

export interface SamplerRequest {
  readonly number: number;
  readonly question: Question;
}

export type SamplerReply =
  | { readonly number: number; readonly ok: true; readonly answer: ReturnType<typeof answerTo> }
  | { readonly number: number; readonly ok: false; readonly why: string };

parentPort?.on("message", ({ number, question }: SamplerRequest) => {
  let reply: SamplerReply;
  try {
    reply = { number, ok: true, answer: answerTo(question) };
  } catch (error) {
    reply = { number, ok: false, why: errorSentence(error) };
  }
  parentPort?.postMessage(reply);
});
