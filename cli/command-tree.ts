/** Every command under one name, `trialmesh`, with its help. What each does is in `command/`. */
import { Command } from "commander";
import { packageVersion } from "../training/version/code-version.ts";
import { accountOpenCommand } from "./command/account-open.ts";
import { addCommand } from "./command/add.ts";
import { agentCommand } from "./command/agent.ts";
import { agentsCommand } from "./command/agents.ts";
import { agentsCordonCommand } from "./command/agents-cordon.ts";
import { agentsDrainCommand } from "./command/agents-drain.ts";
import { artifactGetCommand, artifactPutCommand } from "./command/artifact-get.ts";
import { artifactLsCommand, artifactShowCommand } from "./command/artifact-ls.ts";
import { artifactPinCommand, artifactUnpinCommand } from "./command/artifact-pin.ts";
import { artifactVerifyCommand } from "./command/artifact-verify.ts";
import { budgetGrantCommand } from "./command/budget-grant.ts";
import { budgetHistoryCommand } from "./command/budget-history.ts";
import { budgetSetCommand } from "./command/budget-set.ts";
import { budgetShowCommand } from "./command/budget-show.ts";
import { connectionCommand } from "./command/connection.ts";
import { coordinatorCommand } from "./command/coordinator.ts";
import { datasetAddCommand } from "./command/dataset-add.ts";
import { datasetCheckCommand } from "./command/dataset-check.ts";
import { datasetDiffCommand } from "./command/dataset-diff.ts";
import { datasetLsCommand } from "./command/dataset-ls.ts";
import { datasetPreviewCommand } from "./command/dataset-preview.ts";
import { datasetProfileCommand } from "./command/dataset-profile.ts";
import { datasetShowCommand } from "./command/dataset-show.ts";
import { deployCommand } from "./command/deploy.ts";
import { deployLogsCommand } from "./command/deploy-logs.ts";
import { deployStopCommand } from "./command/deploy-stop.ts";
import { deploymentsCommand, deployShowCommand } from "./command/deployments.ts";
import { demoCommand } from "./command/demo.ts";
import { doctorCommand } from "./command/doctor.ts";
import { downCommand } from "./command/down.ts";
import { gcCommand } from "./command/gc.ts";
import { inviteCommand } from "./command/invite.ts";
import { joinCommand } from "./command/join.ts";
import { machinesCommand } from "./command/machines.ts";
import { modelExportCommand } from "./command/model-export.ts";
import { lineageCommand } from "./command/lineage.ts";
import { modelDiffCommand } from "./command/model-diff.ts";
import { modelLineageCommand } from "./command/model-lineage.ts";
import { modelLsCommand } from "./command/model-ls.ts";
import { modelPromoteCommand } from "./command/model-promote.ts";
import { modelReportCommand } from "./command/model-report.ts";
import { modelRollbackCommand } from "./command/model-rollback.ts";
import { modelShowCommand } from "./command/model-show.ts";
import { sweepNoteCommand, trialNoteCommand } from "./command/note.ts";
import { predictCommand } from "./command/predict.ts";
import { revokeCommand } from "./command/revoke.ts";
import { registryNoteCommand, registryTagCommand } from "./command/registry-label.ts";
import { registryRestoreCommand, registryRmCommand } from "./command/registry-rm.ts";
import { runtimeInstallCommand } from "./command/runtime-install.ts";
import { runtimeLsCommand } from "./command/runtime-ls.ts";
import { runtimeProbeCommand } from "./command/runtime-probe.ts";
import { runtimeRemoveCommand } from "./command/runtime-remove.ts";
import { secretLsCommand, secretRmCommand, secretSetCommand } from "./command/secret.ts";
import { gatewayCommand } from "./command/gateway.ts";
import { serveCommand } from "./command/serve.ts";
import { sweepEstimateCommand } from "./command/sweep-estimate.ts";
import { sweepExportCommand } from "./command/sweep-export.ts";
import { sweepExtendCommand } from "./command/sweep-extend.ts";
import { sweepInsightCommand } from "./command/sweep-insight.ts";
import { sweepLintCommand } from "./command/sweep-lint.ts";
import { sweepLocalCommand } from "./command/sweep-local.ts";
import { sweepLsCommand } from "./command/sweep-ls.ts";
import { sweepPauseCommand } from "./command/sweep-pause.ts";
import { sweepReportCommand } from "./command/sweep-report.ts";
import { sweepResumeCommand } from "./command/sweep-resume.ts";
import { sweepRestoreCommand, sweepRmCommand } from "./command/sweep-rm.ts";
import { sweepRunCommand } from "./command/sweep-run.ts";
import { sweepSchemaCommand } from "./command/sweep-schema.ts";
import { sweepSealCommand } from "./command/sweep-seal.ts";
import { sweepShowCommand } from "./command/sweep-show.ts";
import { sweepStopCommand } from "./command/sweep-stop.ts";
import { sweepTuneCommand } from "./command/sweep-tune.ts";
import { sweepWatchCommand } from "./command/sweep-watch.ts";
import { sweepWhyCommand } from "./command/sweep-why.ts";
import { trialExportCommand } from "./command/trial-export.ts";
import { sweepTagCommand, trialTagCommand } from "./command/tag.ts";
import { trialLogsCommand } from "./command/trial-logs.ts";
import { trialProposeCommand } from "./command/trial-propose.ts";
import { trialShowCommand } from "./command/trial-show.ts";
import { trialStopCommand } from "./command/trial-stop.ts";
import { trialWhyCommand } from "./command/trial-why.ts";
import { tuiCommand } from "./command/tui.ts";
import { upCommand } from "./command/up.ts";
import { upgradeCommand } from "./command/upgrade.ts";
import { nearestName } from "../protocol/name.ts";
import { commandMeant, pathOf } from "./shell/command-meant.ts";
import type { Terminal } from "./shell/terminal.ts";

/** Of what was given, in a complaint about it. */
const givenCharactersMax = 60;
const longWord = /\S{61,}/g;

const helpEnd = `
Exit status:
  0   done
  1   refused or failed; the sentence on standard error says why
  2   the command line is wrong
  3   the sweep waits for tokens
  70  a fault in trialmesh itself (TRIALMESH_DEBUG=1 shows where)

Environment:
  TRIALMESH_HOME         folder of this machine's mesh (default: ~/.trialmesh)
  TRIALMESH_DATA         folder that sweep files name their data by
  TRIALMESH_PYTHON       the Python that programs get, or its virtual environment (default: python or python3 on the path)
  TRIALMESH_NATS_SERVER  a nats-server binary to use instead of looking for one
  TRIALMESH_RUNTIME      where native runtimes are kept (default: ~/.cache/trialmesh/runtime)
  TRIALMESH_CACHE        where a nats-server that was brought in is kept (default: ~/.cache/trialmesh)
  TRIALMESH_LEASE_MS     length of a lease in ms, for tests; the same for every coordinator of a mesh

Examples:
  $ trialmesh up
  $ trialmesh sweep run examples/language-id.yaml
  $ trialmesh model lineage language-id@champion
`;

export function program(terminal: Terminal): Command {
  const root = new Command("trialmesh")
    .description("Run machine-learning experiments on the machines you already have.")
    .version(packageVersion, "-V, --version", "print the version")
    .addCommand(upCommand(terminal))
    .addCommand(downCommand(terminal))
    .addCommand(demoCommand(terminal))
    .addCommand(agentCommand(terminal))
    .addCommand(coordinatorCommand(terminal))
    .addCommand(tuiCommand(terminal))
    .addCommand(sweepCommands(terminal))
    .addCommand(trialCommands(terminal))
    .addCommand(
      agentsCommand(terminal)
        .addCommand(agentsCordonCommand(terminal))
        .addCommand(agentsDrainCommand(terminal)),
    )
    .addCommand(datasetCommands(terminal))
    .addCommand(modelCommands(terminal))
    .addCommand(predictCommand(terminal))
    .addCommand(serveCommand(terminal))
    .addCommand(
      deployCommand(terminal)
        .addCommand(deployShowCommand(terminal))
        .addCommand(deployLogsCommand(terminal))
        .addCommand(deployStopCommand(terminal)),
    )
    .addCommand(deploymentsCommand(terminal))
    .addCommand(gatewayCommand(terminal))
    .addCommand(lineageCommand(terminal))
    .addCommand(artifactCommands(terminal))
    .addCommand(budgetCommands(terminal))
    .addCommand(
      group("secret", "values for programs that nobody else may read", [
        secretSetCommand(terminal),
        secretLsCommand(terminal),
        secretRmCommand(terminal),
      ]),
    )
    .addCommand(group("account", "accounts of requesters", [accountOpenCommand(terminal)]))
    .addCommand(runtimeCommands(terminal))
    .addCommand(addCommand(terminal))
    .addCommand(machinesCommand(terminal))
    .addCommand(upgradeCommand(terminal))
    .addCommand(inviteCommand(terminal))
    .addCommand(joinCommand(terminal))
    .addCommand(revokeCommand(terminal))
    .addCommand(gcCommand(terminal))
    .addCommand(connectionCommand(terminal))
    .addCommand(doctorCommand(terminal))
    .addHelpText("after", helpEnd);
  everyCommand(root, (command) => speakThrough(terminal, command, root));
  return root;
}

function sweepCommands(terminal: Terminal): Command {
  return group("sweep", "run, list, show, steer and stop sweeps", [
    sweepRunCommand(terminal),
    sweepLocalCommand(terminal),
    sweepLintCommand(terminal),
    sweepSchemaCommand(terminal),
    sweepEstimateCommand(terminal),
    sweepLsCommand(terminal),
    sweepShowCommand(terminal),
    sweepWatchCommand(terminal),
    sweepInsightCommand(terminal),
    sweepReportCommand(terminal),
    sweepExportCommand(terminal),
    sweepWhyCommand(terminal),
    sweepTuneCommand(terminal),
    sweepExtendCommand(terminal),
    sweepPauseCommand(terminal),
    sweepResumeCommand(terminal),
    sweepSealCommand(terminal),
    sweepStopCommand(terminal),
    sweepTagCommand(terminal),
    sweepNoteCommand(terminal),
    sweepRmCommand(terminal),
    sweepRestoreCommand(terminal),
  ]);
}

function trialCommands(terminal: Terminal): Command {
  return group("trial", "look at single trials, propose and stop them", [
    trialShowCommand(terminal),
    trialWhyCommand(terminal),
    trialLogsCommand(terminal),
    trialExportCommand(terminal),
    trialProposeCommand(terminal),
    trialStopCommand(terminal),
    trialTagCommand(terminal),
    trialNoteCommand(terminal),
  ]);
}

function datasetCommands(terminal: Terminal): Command {
  return group("dataset", "datasets: build, look at, check and compare versions", [
    datasetAddCommand(terminal),
    datasetLsCommand(terminal),
    datasetShowCommand(terminal),
    datasetPreviewCommand(terminal),
    datasetProfileCommand(terminal),
    datasetDiffCommand(terminal),
    datasetCheckCommand(terminal),
    registryTagCommand(terminal, "dataset"),
    registryNoteCommand(terminal, "dataset"),
    registryRmCommand(terminal, "dataset"),
    registryRestoreCommand(terminal, "dataset"),
  ]);
}

function modelCommands(terminal: Terminal): Command {
  return group("model", "registered models: versions, aliases, lineage", [
    modelLsCommand(terminal),
    modelShowCommand(terminal),
    modelPromoteCommand(terminal),
    modelRollbackCommand(terminal),
    modelLineageCommand(terminal),
    modelExportCommand(terminal),
    modelReportCommand(terminal),
    modelDiffCommand(terminal),
    registryTagCommand(terminal, "model"),
    registryNoteCommand(terminal, "model"),
    registryRmCommand(terminal, "model"),
    registryRestoreCommand(terminal, "model"),
  ]);
}

function artifactCommands(terminal: Terminal): Command {
  return group("artifact", "files and folders by their digests: list, fetch, store, pin and verify", [
    artifactLsCommand(terminal),
    artifactShowCommand(terminal),
    artifactGetCommand(terminal),
    artifactPutCommand(terminal),
    artifactPinCommand(terminal),
    artifactUnpinCommand(terminal),
    artifactVerifyCommand(terminal),
  ]);
}

function budgetCommands(terminal: Terminal): Command {
  return group("budget", "tokens: statements, grants, refills and limits", [
    budgetShowCommand(terminal),
    budgetHistoryCommand(terminal),
    budgetGrantCommand(terminal),
    budgetSetCommand(terminal),
  ]);
}

function runtimeCommands(terminal: Terminal): Command {
  return group("runtime", "native runtimes: TensorFlow and WebGPU, outside the project", [
    runtimeLsCommand(terminal),
    runtimeInstallCommand(terminal),
    runtimeRemoveCommand(terminal),
    runtimeProbeCommand(terminal),
  ]);
}

function speakThrough(terminal: Terminal, command: Command, root: Command): void {
  command
    .exitOverride()
    // What stands behind a command is its own, also where the command around it knows the same flag.
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, "")),
      writeErr: (text) => terminal.note(text.replace(/\n$/, "")),
      outputError: (text, write) => write(`trialmesh: ${usageSentence(text, command, root)}\n`),
    });
}

function group(name: string, about: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(about);
  for (const command of commands) parent.addCommand(command);
  return parent;
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}

/** Commander's complaint as our sentence: with the nearest right name, and where to read more. */
function usageSentence(text: string, command: Command, root: Command): string {
  const complaint = text
    .replace(/^error: /, "")
    .trim()
    .replaceAll("'", '"')
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll(longWord, (word) => `${word.slice(0, givenCharactersMax)}…`)
    .replace(/\.$/, "");
  const value =
    /^(?:command-argument value "(.*)" is invalid for argument "(.+)"|option "(.+)" argument "(.*)" is invalid)\. (.+)$/.exec(
      complaint,
    );
  if (value !== null) {
    const [, word, argument, option, given, why] = value;
    const name =
      argument === undefined ? (option ?? "").replace(/ .*$/, "").replace(/,$/, "") : `<${argument}>`;
    return `${valueSentence(name, word ?? given ?? "", why ?? "")} (see \`${pathOf(command, root)} --help\`)`;
  }
  const wrong = /^unknown (command|option) "([^"]+)"/.exec(complaint);
  const known =
    wrong?.[1] === "command"
      ? command.commands.map((child) => child.name())
      : command.options
          .flatMap((option) =>
            [option.long, option.short].filter((name) => name !== undefined && name !== null),
          )
          .concat("--help");
  const [, kind, word] = wrong ?? [];
  const nearest =
    word === undefined
      ? null
      : ((kind === "command" ? commandMeant(word, command, root) : null) ?? nearestName(word, known));
  const hint = nearest === null ? "" : `, did you mean "${nearest}"?`;
  const end = hint === "" ? "; " : " ";
  return `${complaint}${hint}${end}(see \`${pathOf(command, root)} --help\`)`.replace("; (see", " (see");
}

/** A parser's word on what is right begins with "is"; anything else is why the value cannot be. */
function valueSentence(name: string, given: string, why: string): string {
  const choices = /^Allowed choices are (.+)$/.exec(why)?.[1]?.split(", ");
  if (choices !== undefined) {
    const nearest = nearestName(given, choices);
    const list = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    const hint = nearest === null ? "" : `; did you mean "${nearest}"?`;
    return `${valueSentence(name, given, `is ${list}`)}${hint}`;
  }
  const isLong = given.length > givenCharactersMax + 1;
  const text = isLong ? `${given.slice(0, givenCharactersMax)}…` : given;
  const shown = /^-?\d+(?:\.\d+)?$/.test(text) ? text : `"${text}"`;
  return why.startsWith("is ") ? `${name} ${why}, not ${shown}` : `${name} cannot be ${shown}: ${why}`;
}
