/**
 * Early patience around any model: once so many epochs have passed without a better validation loss, the
 * trainer goes back to its best epoch and has settled. The trial's resource counts on, so that rungs compare it
 * as it is, but an epoch then trains nothing and gives the same figures again. What is kept of the best epoch
 * is part of the checkpoint, so a trial stopped and resumed settles where it would have.
 */
import { accept } from "../../protocol/refusal.ts";
import { joinBest, partBest, type BestEpoch } from "../task/best-epoch.ts";
import { numberParam } from "../task/parameter.ts";
import type { Metrics, ModelDeclaration, ParameterSpec, Trainer } from "../task/task.ts";

const patienceParameters = {
  patience: {
    type: "int",
    min: 0,
    max: 1000,
    default: 0,
    about: "epochs without a better validation loss after which training settles; 0 for never",
  },
} as const satisfies Record<string, ParameterSpec>;

/** Names of metrics that say how far training has come better than a share of right answers does. */
const lossName = /loss$|^rmse$/iu;

/** The same model with the parameter `patience`; itself where it measures no loss. */
export function withPatience(declaration: ModelDeclaration): ModelDeclaration {
  const losses = declaration.metrics.filter((name) => lossName.test(name));
  if (losses.length === 0) return declaration;
  return {
    ...declaration,
    parameters: { ...declaration.parameters, ...patienceParameters },
    create: (options) => {
      const made = declaration.create(options);
      const patience = numberParam(options.params, "patience");
      return made.ok && patience > 0 ? accept(patientTrainer(made.value, patience, losses)) : made;
    },
  };
}

/** `losses`: the first of these that the trainer measures decides. */
function patientTrainer(inner: Trainer, patience: number, losses: readonly string[]): Trainer {
  let best: BestEpoch | null = null;
  /** Epochs counted since it settled; null while it trains. */
  let settledEpochs: number | null = null;
  let measured: Metrics | null = null;

  const validation = (): Metrics => (measured ??= inner.evaluate("validation"));

  const settle = (to: BestEpoch): void => {
    settledEpochs = inner.epoch - to.epoch;
    const restored = inner.restore(to.bytes);
    if (!restored.ok) throw new Error(restored.refusal.message);
    measured = null;
  };

  return {
    predictor: inner.predictor,
    get epoch() {
      return inner.epoch + (settledEpochs ?? 0);
    },
    get settled() {
      return settledEpochs !== null;
    },
    trainEpoch: async () => {
      if (settledEpochs !== null && best !== null) {
        settledEpochs++;
        return { loss: best.trainingLoss };
      }
      const { loss } = await inner.trainEpoch();
      measured = null;
      if (!Number.isFinite(loss)) return { loss };
      const metrics = validation();
      const validationLoss =
        losses.map((name) => metrics[name]).find((value) => value !== undefined) ?? Number.NaN;
      if (validationLoss < (best?.validationLoss ?? Number.POSITIVE_INFINITY)) {
        best = { epoch: inner.epoch, trainingLoss: loss, validationLoss, bytes: inner.save() };
      } else if (best !== null && inner.epoch - best.epoch >= patience) {
        settle(best);
        return { loss: best.trainingLoss };
      }
      return { loss };
    },
    evaluate: (split) => (split === "validation" ? validation() : inner.evaluate(split)),
    save: () => joinBest(inner.save(), { best, settledEpochs }),
    restore: (bytes) => {
      const parts = partBest(bytes);
      if (!parts.ok) return parts;
      const restored = inner.restore(parts.value.current);
      if (!restored.ok) return restored;
      ({ best, settledEpochs } = parts.value);
      measured = null;
      return restored;
    },
    dispose: () => inner.dispose(),
  };
}
