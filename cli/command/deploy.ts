/** `trialmesh deploy`: has the mesh answer with a registered model, or changes how. Waits until it does. */
import type { Command } from "commander";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { readModelReference } from "../../client/model/model-reference.ts";
import type { CommandValue } from "../../protocol/command.ts";
import { replicasWantedMax } from "../../protocol/deployment.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { jsonText } from "../../text/printable.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { namedModelArgument } from "../shell/model-option.ts";
import { action, asking, eachOf, examples, nameArgument } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly replicas?: number;
  readonly needs?: readonly string[];
  readonly detach?: boolean;
}

export function deployCommand(terminal: Terminal): Command {
  return asking("deploy", "have the mesh answer with a registered model, on as many agents as wanted")
    .argument("<name>", "what the deployment is called", nameArgument)
    .argument("<model>", "name@alias, which it follows, name@version or name", namedModelArgument)
    .option(
      "--replicas <n>",
      "how many answer (default: as many as now, or 1)",
      wholeFlag(1, replicasWantedMax),
    )
    .option(
      "--needs <field=value>",
      "what each needs of a machine, as in a sweep file; several times, or none",
      eachOf(String),
    )
    .option("--detach", "do not wait until one answers")
    .addHelpText(
      "after",
      `\nA name that is deployed already is changed in place.\n${examples(
        "trialmesh deploy answers language-id@champion --replicas 2",
        "trialmesh deploy answers language-id@7 --needs memGiB=4 --needs labels.room=attic",
        "trialmesh deploy show answers",
        "trialmesh deploy logs answers --follow",
        "trialmesh deploy stop answers",
      )}`,
    )
    .action(
      action(terminal, (deployment: string, reference: string, options: Options) =>
        withMesh(terminal, options, (connected) =>
          deploy(terminal, connected, deployment, reference, options),
        ),
      ),
    );
}

async function deploy(
  terminal: Terminal,
  { client, home }: Connected,
  deployment: string,
  reference: string,
  options: Options,
): Promise<ExitCode> {
  const model = await modelOf(reference);
  if (!model.ok) return printRefusal(terminal, options, model.refusal);
  const needs = await needsOf(options);
  if (!needs.ok) return printRefusal(terminal, options, needs.refusal);
  const set = await client.command("deploy-set", {
    deployment,
    ...model.value,
    ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
    ...(needs.value === null ? {} : { needs: needs.value }),
  });
  if (options.detach === true || !set.ok) return printAnswer(terminal, options, set, setText);
  terminal.note(setText(set.value));
  const { awaitReplica } = await import("../../client/deploy/await-replica.ts");
  const awaited = await awaitReplica(client, deployment, set.value.revision, (line) => terminal.note(line));
  if (!awaited.ok) return printRefusal(terminal, options, awaited.refusal);
  const { replica, view } = awaited.value;
  if (options.json === true) terminal.out(jsonText(view));
  if (replica === null) {
    terminal.note(`trialmesh: ${deployment} does not answer: ${view.why ?? view.state}`);
    return view.state === "out of tokens" ? exitCode.waitsForBudget : exitCode.failed;
  }
  if (options.json !== true)
    terminal.out(`${deployment} answers with version ${set.value.version} on ${replica.agent ?? "an agent"}`);
  const gateway = readUpRecord(home)?.gateway;
  if (gateway !== undefined) terminal.note(`ask it at ${gateway}/predict/${deployment}`);
  return exitCode.ok;
}

/** A name alone is resolved by the mesh, each time anew. */
async function modelOf(text: string): Promise<Outcome<{ model: string; version: number | string | null }>> {
  if (!text.includes("@")) return accept({ model: text, version: null });
  const read = readModelReference(text, null);
  return read.ok ? accept({ ...read.value }) : read;
}

/** Null where nothing was said of it. */
async function needsOf({ needs }: Options): Promise<Outcome<Requirement | null>> {
  if (needs === undefined) return accept(null);
  const { readNeeds } = await import("../../spec/sweep/needs-expression.ts");
  return readNeeds(needs);
}

function setText({ deployment, opened, replicas, revision, version }: CommandValue<"deploy-set">): string {
  const what = `${plural(replicas, "replica")} of version ${version}, revision ${revision}`;
  return opened ? `${deployment} is deployed: ${what}` : `${deployment} is changed: ${what}`;
}
