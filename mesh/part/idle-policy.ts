/** The part of an owner's policy about being away, out of flags put over what is on file. */
import { policySchema, type Policy } from "../../protocol/capability.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

type Idle = Policy["idle"];

/** As commander gives them; minutes, and a share of the processors' time. */
export interface IdleFlags {
  /** True without a figure; `never` takes the rule back. */
  readonly onlyWhenIdle?: number | true | "never";
  readonly idleLoad?: number;
  readonly resumeAfter?: number;
  readonly vacateAfter?: number;
}

export function idlePolicy(onFile: Idle, flags: IdleFlags): Outcome<Idle> {
  const given = (
    [
      ["--idle-load", flags.idleLoad],
      ["--resume-after", flags.resumeAfter],
      ["--vacate-after", flags.vacateAfter],
    ] as const
  ).find(([, value]) => value !== undefined)?.[0];
  const wanted = flags.onlyWhenIdle ?? (onFile === null ? "never" : true);
  if (wanted === "never") {
    return given === undefined
      ? accept(null)
      : refuse("invalid", `${given} says nothing without --only-when-idle; give both`);
  }
  const base = onFile ?? policySchema.shape.idle.parse({});
  if (base === null) throw new Error("the schema of a policy gives no figures for idleness");
  const startMinutes = wanted === true ? base.startMinutes : wanted;
  const idle = {
    startMinutes,
    loadMax: flags.idleLoad ?? base.loadMax,
    // What was said for a longer absence is cut to a shorter one, unless it is said anew.
    resumeMinutes: flags.resumeAfter ?? Math.min(base.resumeMinutes, startMinutes),
    vacateMinutes: flags.vacateAfter ?? base.vacateMinutes,
  };
  const problem = idleProblem(idle);
  return problem === null ? accept(idle) : refuse("invalid", problem);
}

/** What is contradictory in it, in words for its owner; null when nothing is. */
export function idleProblem({ resumeMinutes, startMinutes }: NonNullable<Idle>): string | null {
  if (startMinutes <= 0 || resumeMinutes <= 0)
    return "an owner who is away has given no input for more than 0 minutes; give --only-when-idle and --resume-after more than 0";
  if (resumeMinutes <= startMinutes) return null;
  return `trials that may start after ${startMinutes} minutes without input cannot have to wait ${resumeMinutes} to go on; give --resume-after ${startMinutes} or less`;
}
