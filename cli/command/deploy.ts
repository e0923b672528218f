/** `trialmesh deploy`: has the mesh answer with a registered model, or changes how. Waits until it does. */
import type { Command } from "commander";
import type { CanaryReference } from "../../client/serve/start-rollout.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { readModelReference } from "../../client/model/model-reference.ts";
import type { CommandBody, CommandValue } from "../../protocol/command.ts";
import { replicasWantedMax, trialAlpha, trialAlphaMax } from "../../protocol/deployment.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { jsonText } from "../../text/printable.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { canaryFlag } from "../shell/rollout-option.ts";
import { namedModelArgument } from "../shell/model-option.ts";
import { action, asking, eachOf, examples, nameArgument, textFlag } from "../shell/option.ts";
import { rangeFlag, wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

/** Of one need. */
const needCharactersMax = 2_000;

type TrialBody = Pick<CommandBody<"deploy-set">, "alpha" | "canary" | "shadow">;

interface Options extends MeshOptions {
  readonly replicas?: number;
  readonly needs?: readonly string[];
  /** False: none any more. */
  readonly canary?: CanaryReference | false;
  readonly shadow?: string | false;
  readonly alpha?: number;
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
      eachOf(textFlag("field=value", needCharactersMax)),
    )
    .option(
      "--canary <reference=percent>",
      "a version that answers so much of what is asked, such as language-id@7=10%, until it proves worse",
      canaryFlag,
    )
    .option("--no-canary", "no canary any more")
    .option(
      "--shadow <reference>",
      "a version that is asked too and answers nobody, to be compared",
      namedModelArgument,
    )
    .option("--no-shadow", "no shadow any more")
    .option(
      "--alpha <share>",
      `how many of the canaries that are no worse may be taken back, at most (default: as now, or ${trialAlpha})`,
      rangeFlag({ least: 0, most: trialAlphaMax, above: true }),
    )
    .option("--detach", "do not wait until one answers")
    .addHelpText(
      "after",
      `\nA name that is deployed already is changed in place.\n${examples(
        "trialmesh deploy answers language-id@champion --replicas 2",
        "trialmesh deploy answers language-id@7 --needs memGiB=4 --needs labels.room=attic",
        "trialmesh deploy answers language-id@champion --canary language-id@8=10%",
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
  const trial = await trialOf(options);
  if (!trial.ok) return printRefusal(terminal, options, trial.refusal);
  const set = await client.command("deploy-set", {
    deployment,
    ...model.value,
    ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
    ...(needs.value === null ? {} : { needs: needs.value }),
    ...trial.value,
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
  if (replica.trouble !== null) terminal.note(replica.trouble);
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

/** What is left out stays as it is. Commander says true of one that was not given where there is a way to say no. */
async function trialOf({ alpha, canary, shadow }: Options): Promise<Outcome<Partial<TrialBody>>> {
  const body: Partial<TrialBody> = alpha === undefined ? {} : { alpha };
  if (canary === false) body.canary = null;
  else if (typeof canary === "object") {
    const model = await modelOf(canary.reference);
    if (!model.ok) return model;
    body.canary = { ...model.value, share: canary.share };
  }
  if (shadow === false) body.shadow = null;
  else if (typeof shadow === "string") {
    const model = await modelOf(shadow);
    if (!model.ok) return model;
    body.shadow = model.value;
  }
  return accept(body);
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
