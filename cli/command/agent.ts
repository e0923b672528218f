/** `trialmesh agent`: lends this machine to the mesh, on its owner's terms. `agent probe` only measures it. */
import { Command } from "commander";
import * as z from "zod";
import { action, examples, nameArgument, numberFlag } from "../option.ts";
import type { Terminal } from "../terminal.ts";
import type { PolicyFlags } from "../up/agent-policy.ts";
import type { RunAgentOptions } from "../up/run-agent.ts";
import { agentProbeCommand } from "./agent-probe.ts";

const slotsMax = 1024;
const cacheQuotaGiBDefault = 10;

/** The owner's flags, also those of `trialmesh up` for its own agent. */
export function ownerFlags(command: Command): Command {
  return command
    .option(
      "--slots <n>",
      "trials at a time; one per core at first",
      numberFlag(z.int("it is not a whole number").min(0).max(slotsMax)),
    )
    .option("--hours <spans>", "times of day to work, such as 22:00-07:00, or always")
    .option(
      "--leave-free-mem <GiB>",
      "memory never to be counted on",
      numberFlag(z.number().nonnegative("it must not be below 0")),
    )
    .option("--requesters <names>", "work for these people only, with commas, or anyone")
    .option("--tasks <kinds>", "take these kinds of task only, with commas, or any")
    .option(
      "--label <key=value>",
      "a label that sweeps may ask for; may be repeated",
      (label: string, before: string[] | undefined) => [...(before ?? []), label],
    );
}

export function agentCommand(terminal: Terminal): Command {
  return ownerFlags(
    new Command("agent").description(
      "lend this machine to the mesh; its owner's flags are kept for the next start",
    ),
  )
    .option("--join <token>", "join with the line of `trialmesh invite agent NAME`")
    .option("--name <name>", "its name; this machine's by default", nameArgument)
    .option(
      "--cache-quota <GiB>",
      "disk for datasets and checkpoints",
      numberFlag(z.number().positive("it must be above 0")),
      cacheQuotaGiBDefault,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh agent --join tm1.eyJ2Ijox…",
        "trialmesh agent --slots 2 --hours 22:00-07:00 --leave-free-mem 4",
        "trialmesh agent probe",
      ),
    )
    .addCommand(agentProbeCommand(terminal))
    .action(
      action(terminal, async (options: RunAgentOptions) => {
        // Loaded only here: engines and stores are no concern of the other commands.
        const { runAgent } = await import("../up/run-agent.ts");
        return runAgent(terminal, options);
      }),
    );
}

/** The owner's flags as they were given, to hand them on to an agent's own command line. */
export function ownerFlagsOf(flags: PolicyFlags): string[] {
  const given: string[] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined) given.push(`--${name}`, String(value));
  };
  add("slots", flags.slots);
  add("hours", flags.hours);
  add("leave-free-mem", flags.leaveFreeMem);
  add("requesters", flags.requesters);
  add("tasks", flags.tasks);
  for (const label of flags.label ?? []) add("label", label);
  return given;
}
