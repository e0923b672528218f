/** The flags by which an owner says what this machine may be used for; also those of `trialmesh up` for its own agent. */
import { InvalidArgumentError, type Command } from "commander";
import * as z from "zod";
import { programsAllowed } from "../../protocol/program.ts";
import { sandboxWishes } from "../../agent/sandbox/probe-sandbox.ts";
import { programReadsOf } from "../../mesh/part/sandbox-policy.ts";
import { programNetworks } from "../../protocol/sandbox-rung.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { eachOf, flag, gibRange, listFlag, textFlag } from "../shell/option.ts";
import { hoursOf, labelOf, requestersOf } from "../../mesh/part/agent-policy.ts";
import { portMax } from "../../mesh/port.ts";
import { rangeFlag, rangeOrWord, wholeFlag } from "../shell/range.ts";
import { textCharactersMax } from "../../protocol/bound.ts";
import type { PolicyFlags } from "../../mesh/part/agent-policy.ts";

const slotsMax = 1024;
const celsiusMax = 150;
const minutesMax = 7 * 24 * 60;
const uploadMiBMax = 100_000;

const minutesRange = { least: 0, most: minutesMax, above: true };
const minutesFlag = rangeFlag(minutesRange);

/** Whose programs run, and in what. */
function programFlags(command: Command): Command {
  return command
    .option(
      "--programs <none|own|any>",
      "run programs of nobody, of the mesh's owner, or of anyone",
      programsFlag,
    )
    .option(
      "--sandbox <auto|none|bubblewrap>",
      "what programs run in: the best that works here, nothing, or this and else no programs",
      flag(z.enum(sandboxWishes), "auto, none or bubblewrap"),
    )
    .option(
      "--program-network <none|all>",
      "what programs in a sandbox reach: nothing, or what this machine reaches",
      flag(z.enum(programNetworks), "none or all"),
    )
    .option(
      "--program-reads <paths>",
      "what else programs in a sandbox may read, whole paths with commas, or none",
      checked(programReadsOf),
    );
}

export function ownerFlags(command: Command): Command {
  return programFlags(policyFlags(command))
    .option(
      "--label <key=value>",
      "a label that sweeps may ask for; may be repeated",
      eachOf(checked(labelOf)),
    )
    .option(
      "--upload <MiB/s>",
      "what other machines get of its artifacts in all, 0 for nothing, or any: as fast as it goes",
      uploadFlag,
    )
    .option(
      "--relay <yes|no>",
      "pass on, within that, between machines that cannot reach each other",
      yesNoFlag,
    )
    .option(
      "--peer-port <n>",
      "port at which other machines reach its artifacts, any free one, or none: it opens connections only",
      peerPortFlag,
    );
}

function policyFlags(command: Command): Command {
  return command
    .option("--slots <n>", "trials at a time; one per core at first", wholeFlag(0, slotsMax))
    .option("--hours <spans>", "times of day to work, such as 22:00-07:00, or always", checked(hoursOf))
    .option("--only-when-idle [minutes]", "work only after so long without input (15), or never", idleFlag)
    .option(
      "--idle-load <share>",
      "begin only while others use at most this share of the processors",
      rangeFlag({ least: 0, most: 1, above: true }),
    )
    .option("--resume-after <minutes>", "without input, until suspended trials go on", minutesFlag)
    .option("--vacate-after <minutes>", "suspended, until trials leave", minutesFlag)
    .option(
      "--idle-command <command>",
      "prints the seconds since the last input; none: ask the machine",
      textFlag("a command, or none", textCharactersMax),
    )
    .option("--on-battery <yes|no>", "work without mains power", yesNoFlag)
    .option("--max-celsius <degrees>", "suspend trials above this processor temperature, or any", celsiusFlag)
    .option("--leave-free-cores <n>", "cores never to be given a slot", wholeFlag(0, slotsMax))
    .option("--leave-free-mem <GiB>", "memory never to be counted on", rangeFlag(gibRange))
    .option(
      "--leave-free-disk <GiB>",
      "disk that trials never fill, or auto: 1 GiB or 2 % of it, of a small one a tenth",
      diskFlag,
    )
    .option(
      "--requesters <names>",
      "work for these people only, with commas, or anyone",
      checked(requestersOf),
    )
    .option("--tasks <kinds>", "take these kinds of task only, with commas, or any", tasksFlag);
}

const idleFlag = rangeOrWord(minutesRange, "never");
const celsiusFlag = rangeOrWord({ least: 0, most: celsiusMax, above: true }, "any");
const diskFlag = rangeOrWord(gibRange, "auto");
const uploadFlag = rangeOrWord({ least: 0, most: uploadMiBMax }, "any");
const peerPortFlag = rangeOrWord({ least: 1, most: portMax, whole: true }, "any", "none");
const programsFlag = flag(z.enum(programsAllowed), "none, own or any");
const yesNoFlag = flag(z.enum(["yes", "no"]), "yes or no");
const tasksFlag = (text: string): string => listFlag(text).join(",");

/** The text as it was given, which the agent's own start reads again, once it can be read. */
function checked(read: (text: string) => Outcome<unknown>): (text: string) => string {
  return (text) => {
    const found = read(text);
    if (found.ok) return text;
    throw new InvalidArgumentError(found.refusal.message);
  };
}

/** The owner's flags as they were given, to hand them on to an agent's own command line. */
export function ownerFlagsOf(flags: PolicyFlags): string[] {
  const given: string[] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined) given.push(`--${name}`, String(value));
  };
  add("slots", flags.slots);
  add("hours", flags.hours);
  if (flags.onlyWhenIdle === true) given.push("--only-when-idle");
  else add("only-when-idle", flags.onlyWhenIdle);
  add("idle-load", flags.idleLoad);
  add("resume-after", flags.resumeAfter);
  add("vacate-after", flags.vacateAfter);
  add("idle-command", flags.idleCommand);
  add("on-battery", flags.onBattery);
  add("max-celsius", flags.maxCelsius);
  add("leave-free-cores", flags.leaveFreeCores);
  add("leave-free-mem", flags.leaveFreeMem);
  add("leave-free-disk", flags.leaveFreeDisk);
  add("requesters", flags.requesters);
  add("tasks", flags.tasks);
  add("programs", flags.programs);
  add("sandbox", flags.sandbox);
  add("program-network", flags.programNetwork);
  add("program-reads", flags.programReads);
  for (const label of flags.label ?? []) add("label", label);
  add("upload", flags.upload);
  add("relay", flags.relay);
  add("peer-port", flags.peerPort);
  return given;
}
