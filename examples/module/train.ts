/**
 * A module: logistic regression by hand on points around two centres, in plain TypeScript. Agents whose owners allow
 * programs run it; `sweep.yaml` beside it says what is searched.
 */
import type { ModuleContext } from "../../agent/module/module-context.ts";

const points = 400;

export async function train(context: ModuleContext): Promise<void> {
  const { params, random, restored } = context;
  const rate = Number(params["rate"]);
  const noise = Number(params["noise"]);
  const weights = restored === null ? new Float64Array(3) : new Float64Array(restored.slice().buffer);
  for (let epoch = context.done + 1; epoch <= (context.epochs ?? 10); epoch++) {
    let loss = 0;
    let right = 0;
    for (let point = 0; point < points; point++) {
      const label = point % 2;
      const x = [1, label * 2 - 1 + noise * (random() - 0.5), label - 0.5 + noise * (random() - 0.5)];
      const score = x.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0);
      const probability = 1 / (1 + Math.exp(-score));
      if (probability > 0.5 === (label === 1)) right++;
      loss -= Math.log(Math.max(1e-12, label === 1 ? probability : 1 - probability));
      for (const [index, value] of x.entries())
        weights[index] = (weights[index] ?? 0) + rate * (label - probability) * value;
    }
    context.checkpoint(new Uint8Array(weights.buffer));
    await context.report({ accuracy: right / points, loss: loss / points });
  }
}
