/** The flags by which an owner says what this machine may be used for; also those of `trialmesh up` for its own agent. */
import type { Command } from "commander";
import * as z from "zod";
import { programsAllowed } from "../../protocol/program.ts";
import { flag, numberFlag, wholeFlag } from "../shell/option.ts";
import type { PolicyFlags } from "../../mesh/part/agent-policy.ts";

const slotsMax = 1024;
const celsiusMax = 150;
const minutesMax = 7 * 24 * 60;

const minutes = z
  .number()
  .positive("it must be above 0")
  .max(minutesMax, `it must be at most ${minutesMax} minutes`);

export function ownerFlags(command: Command): Command {
  return command
    .option("--slots <n>", "trials at a time; one per core at first", wholeFlag(0, slotsMax))
    .option("--hours <spans>", "times of day to work, such as 22:00-07:00, or always")
    .option("--only-when-idle [minutes]", "work only after so long without input (15), or never", idleFlag)
    .option(
      "--idle-load <share>",
      "begin only while others use at most this share of the processors",
      numberFlag(z.number().positive("it must be above 0").max(1, "it must be at most 1, all of them")),
    )
    .option("--resume-after <minutes>", "without input, until suspended trials go on", numberFlag(minutes))
    .option("--vacate-after <minutes>", "suspended, until trials leave", numberFlag(minutes))
    .option("--idle-command <command>", "prints the seconds since the last input; none: ask the machine")
    .option("--on-battery <yes|no>", "work without mains power", yesNoFlag)
    .option("--max-celsius <degrees>", "suspend trials above this processor temperature, or any", celsiusFlag)
    .option("--leave-free-cores <n>", "cores never to be given a slot", wholeFlag(0))
    .option(
      "--leave-free-mem <GiB>",
      "memory never to be counted on",
      numberFlag(z.number().nonnegative("it must not be below 0")),
    )
    .option(
      "--leave-free-disk <GiB>",
      "disk that trials never fill, or auto: 1 GiB or 2 % of it, of a small one a tenth",
      diskFlag,
    )
    .option("--requesters <names>", "work for these people only, with commas, or anyone")
    .option("--tasks <kinds>", "take these kinds of task only, with commas, or any")
    .option(
      "--programs <none|own|any>",
      "run programs of nobody, of the mesh's owner, or of anyone",
      programsFlag,
    )
    .option(
      "--label <key=value>",
      "a label that sweeps may ask for; may be repeated",
      (label: string, before: string[] | undefined) => [...(before ?? []), label],
    );
}

const idleFlag = (text: string): number | "never" => (text === "never" ? text : numberFlag(minutes)(text));
const celsiusFlag = (text: string): number | "any" =>
  text === "any"
    ? text
    : numberFlag(
        z.number().positive("it must be above 0").max(celsiusMax, `it must be at most ${celsiusMax}`),
      )(text);
const diskFlag = (text: string): number | "auto" =>
  text === "auto" ? text : numberFlag(z.number().nonnegative("it must not be below 0"))(text);
const programsFlag = flag(z.enum(programsAllowed, "write none, own or any"));
const yesNoFlag = flag(z.enum(["yes", "no"], "write yes or no"));

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
  for (const label of flags.label ?? []) add("label", label);
  return given;
}
