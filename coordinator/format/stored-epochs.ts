/** How the cost of an attempt, and of a model's attempts in one sweep, parts into starting and training, in milli-tokens. */
import * as z from "zod";
import { storedCount } from "./stored-value.ts";

const amount = z.number().nonnegative();

export const storedEpochs = z.strictObject({
  /** Epochs it made. */
  units: storedCount,
  /** Until it began to train, and until its first epoch was done, that included. */
  began: amount,
  first: amount,
  /** Of an epoch after the first, on average; left out where it made one alone. */
  later: amount.exactOptional(),
});

/** Over the attempts of one model in a sweep that made more than one epoch. */
export const storedEpochCost = z.strictObject({
  attempts: storedCount,
  /** Mean of what came before the first epoch. */
  start: amount,
  /** Of an epoch after the first: mean, least, most. */
  mean: amount,
  least: amount,
  most: amount,
});
