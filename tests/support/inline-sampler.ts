/** A sampler worker that thinks in the caller's thread: everything follows from the seed. */
import { answerTo, type SamplerWorker } from "../../search/choose/sampler-worker-port.ts";

export const inlineSampler: SamplerWorker = {
  propose: (question) => Promise.resolve().then(() => answerTo(question)),
  close: () => Promise.resolve(),
};
