/** The options of a command that serves, for versions on trial: which, with what share, and how they are judged. */
import { InvalidArgumentError, type Command } from "commander";
import type { CanaryReference, RolloutPlan } from "../../client/serve/start-rollout.ts";
import { namedModelArgument } from "./model-option.ts";
import { countFlag, eachOf } from "./option.ts";
import { rangeFlag } from "./range.ts";

export interface RolloutOptionValues {
  readonly canary?: readonly CanaryReference[];
  readonly shadow?: readonly string[];
  readonly alpha: number;
  readonly minAgreement: number;
  readonly copyShare: number;
  readonly promoteAfter?: number;
}

const alphaUsual = 0.01;
const alphaMost = 0.5;
const agreementUsual = 0.98;
const percentFlag = rangeFlag({ least: 0, most: 100, above: true });

export function withRolloutOptions(command: Command): Command {
  return command
    .option(
      "--canary <reference=percent>",
      "a version that answers so much of what is asked, such as trec@7=10%, until it proves worse",
      eachOf(canaryFlag),
    )
    .option(
      "--shadow <reference>",
      "a version that is asked too and answers nobody, to be compared",
      eachOf(namedModelArgument),
    )
    .option(
      "--alpha <share>",
      "how many of the canaries that are no worse may be taken back, at most",
      rangeFlag({ least: 0, most: alphaMost, above: true }),
      alphaUsual,
    )
    .option(
      "--min-agreement <share>",
      "of a canary's answers, what has to be as the incumbent's while no truth is known; 0 for any",
      rangeFlag({ least: 0, most: 1 }),
      agreementUsual,
    )
    .option(
      "--copy-share <share>",
      "of the requests, what is asked of both versions to compare them",
      rangeFlag({ least: 0, most: 1, above: true }),
      1,
    )
    .option(
      "--promote-after <requests>",
      "move the served alias to the canary once both answered so many without evidence against it",
      countFlag,
    );
}

/** Null where nothing is on trial. */
export function rolloutPlanOf(options: RolloutOptionValues): RolloutPlan | null {
  const { alpha, canary = [], copyShare, minAgreement, promoteAfter = null, shadow = [] } = options;
  if (canary.length === 0 && shadow.length === 0) return null;
  return { canaries: canary, shadows: shadow, alpha, agreement: minAgreement, copyShare, promoteAfter };
}

function canaryFlag(text: string): CanaryReference {
  const at = text.lastIndexOf("=");
  if (at === -1 || !text.endsWith("%"))
    throw new InvalidArgumentError("is a version and its share in percent, such as trec@7=10%");
  return {
    reference: namedModelArgument(text.slice(0, at)),
    share: percentFlag(text.slice(at + 1, -1)) / 100,
  };
}
