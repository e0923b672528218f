/** The flags by which a command line says something else than the sweep file; the same wherever a sweep file is read. */
import type { Command } from "commander";
import { trialsMax } from "../../protocol/sweep.ts";
import { countFlag, listFlag, priorityFlag, tokensRange, weightFlag } from "./option.ts";
import { rangeFlag, wholeFlag } from "./range.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";

export interface OverrideOptions {
  readonly trials?: number;
  readonly seed?: number;
  readonly models?: string[];
  readonly max?: number;
  readonly budget?: number;
  readonly priority?: number;
  readonly weight?: number;
  readonly beyondBudget?: boolean;
}

export function withOverrides(command: Command): Command {
  return command
    .option("--trials <n>", "at most this many trials, instead of the file's", wholeFlag(1, trialsMax))
    .option("--seed <n>", "seed of the search, instead of the file's", wholeFlag(0))
    .option("--models <names>", "only these models, with commas", listFlag)
    .option("--max <epochs>", "at most this many epochs a trial, instead of the file's", countFlag)
    .option(
      "--budget <tokens>",
      "the most this sweep may spend, instead of the file's",
      rangeFlag(tokensRange),
    )
    .option("--priority <p>", "before your sweeps of lower priority; 0 is usual, -100 to 100", priorityFlag)
    .option("--weight <w>", "its share of your turn beside your other sweeps; 1 is usual", weightFlag)
    .option("--beyond-budget", "launch it though it costs more than there is; it pauses for grants");
}

export function overridesOf(options: OverrideOptions): SweepOverrides {
  const { beyondBudget, budget, max, models, priority, seed, trials, weight } = options;
  return {
    ...(trials === undefined ? {} : { trials }),
    ...(seed === undefined ? {} : { seed }),
    ...(models === undefined ? {} : { models }),
    ...(max === undefined ? {} : { max }),
    ...(budget === undefined ? {} : { budgetTokens: budget }),
    ...(priority === undefined ? {} : { priority }),
    ...(weight === undefined ? {} : { weight }),
    ...(beyondBudget === undefined ? {} : { beyondBudget }),
  };
}
