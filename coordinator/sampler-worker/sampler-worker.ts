/**
 * A sampler with a thread of its own, started at the first question. A thread that dies takes its questions with it, as
 * refusals, and the next question starts another.
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Answer } from "../../search/sampler/ask.ts";
import type { SamplerWorker } from "../../search/choose/sampler-worker-port.ts";
import type { SamplerRequest, SamplerReply } from "./sampler-thread.ts";

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (why: Error) => void;
}

export function samplerWorker(): SamplerWorker {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let asked = 0;

  function start(): Worker {
    const here = fileURLToPath(import.meta.url);
    const started = new Worker(new URL(`./sampler-thread${extname(here)}`, import.meta.url));
    started.on("message", (reply: SamplerReply) => {
      const one = waiting.get(reply.number);
      waiting.delete(reply.number);
      if (reply.ok) one?.resolve(reply.answer);
      else one?.reject(new Error(reply.why));
      if (waiting.size === 0) started.unref();
    });
    const lost = (why: string) => {
      if (worker === started) worker = null;
      for (const one of waiting.values()) one.reject(new Error(why));
      waiting.clear();
    };
    started.on("error", (error: unknown) => lost(errorSentence(error)));
    started.on("exit", () => lost("the sampler's thread ended"));
    return started;
  }

  return {
    propose(question) {
      worker ??= start();
      worker.ref();
      const number = ++asked;
      const message: SamplerRequest = { number, question };
      return new Promise((resolve, reject) => {
        waiting.set(number, { resolve, reject });
        worker?.postMessage(message);
      });
    },
    async close() {
      await worker?.terminate();
    },
  };
}
