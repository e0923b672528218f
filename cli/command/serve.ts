/** `trialmesh serve`: answers with registered models over HTTP, on this machine, until it is ended. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Option, type Command } from "commander";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { programsAllowed, type ProgramsAllowed } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { serverLife } from "../../protocol/certificate/certificate-life.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import type { ServeOptions } from "../../client/serve/serve-models.ts";
import { meshCertificate, ownCertificate } from "../../client/serve/serving-certificate.ts";
import { authorityFile } from "../../mesh/home-tls.ts";
import { keepServerCertificate } from "../../mesh/part/keep-server-certificate.ts";
import { untilClosed, untilStopped, upEndMs } from "../../mesh/part/until-stopped.ts";
import { isLoopbackHost } from "../../mesh/port.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import type { ServingAddress, ServingTls } from "../../serving/server/http-door.ts";
import { readPrivateFile } from "../../system/private-file.ts";
import { printRefusal } from "../shell/answer.ts";
import { listenFlag } from "../shell/listen-flag.ts";
import { action, asking, eachOf, examples, fileArgument } from "../shell/option.ts";
import { namedModelArgument } from "../shell/model-option.ts";
import { rangeFlag } from "../shell/range.ts";
import { rolloutPlanOf, withRolloutOptions, type RolloutOptionValues } from "../shell/rollout-option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

/** Where whatever answers callers listens, and whom it lets in. */
interface DoorOptions {
  readonly listen: ServingAddress;
  readonly grpc?: ServingAddress;
  readonly keyFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

interface Options extends MeshOptions, DoorOptions, RolloutOptionValues {
  readonly logSample: number;
  readonly programs: ProgramsAllowed;
  readonly expect?: string;
}

/** Below the home. */
const profileFolder = "serving-profiles";

/** What was asked before the end is answered within this. */
const drainMs = 10_000;

export function serveCommand(terminal: Terminal): Command {
  return withDoorFlags(
    withRolloutOptions(
      asking("serve", "answer with registered models over HTTP, following their aliases, until ctrl-c"),
    )
      .argument("<model...>", "name@alias, name@version or name", eachOf(namedModelArgument))
      .addOption(
        new Option("--listen <host:port>", "where to listen; beyond this machine only with keys and TLS")
          .argParser(listenFlag("127.0.0.1:8080"))
          .default({ host: "127.0.0.1", port: 8080 }, "127.0.0.1:8080"),
      )
      .addOption(
        new Option(
          "--grpc <host:port>",
          "answer over gRPC there, too, under the same keys and TLS",
        ).argParser(listenFlag("127.0.0.1:8001")),
      ),
  )
    .option(
      "--log-sample <share>",
      "print so much of what is asked, 0 to 1, with personal data masked",
      rangeFlag({ least: 0, most: 1 }),
      0,
    )
    .addOption(
      new Option(
        "--programs <whose>",
        "run the serve command of models that only their program can answer with: of the mesh's owner, or of anyone",
      )
        .choices(programsAllowed)
        .default("none"),
    )
    .option(
      "--expect <file>",
      "the dataset file whose expectations rows and answers are held to; a breach is told and counted",
      fileArgument,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh serve language-id@champion",
        "trialmesh serve trec@champion trec@3 --listen 127.0.0.1:9000",
        "trialmesh serve trec@champion --listen 0.0.0.0:8443 --key-file keys.txt",
        "trialmesh serve trec@champion --canary trec@7=10% --shadow trec@8",
      ),
    )
    .action(
      action(terminal, (references: string[], options: Options) => {
        terminal.last();
        return withMesh(terminal, options, (connected) => serve(terminal, connected, references, options));
      }),
    );
}

async function serve(
  terminal: Terminal,
  connected: Connected,
  references: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const stopped = Promise.race([untilStopped(upEndMs), untilClosed(connected.bus, upEndMs)]);
  const keys = keysOf(options);
  if (!keys.ok) return printRefusal(terminal, options, keys.refusal);
  const tls = tlsOf(connected, options);
  if (!tls.ok) return printRefusal(terminal, options, tls.refusal);
  // Loaded only here: engines are no concern of the other commands.
  const { openModel, resolveModel } = await import("../../client/model/open-model.ts");
  const { serveModels } = await import("../../client/serve/serve-models.ts");
  const { requestLog } = await import("../../client/serve/request-log.ts");
  const { isRegistered } = await import("../../client/model/registered-model.ts");
  const { recordFacts } = await import("../../client/model/record-fact.ts");
  const { referenceOf } = await import("../../client/model/training-reference.ts");
  const say = (line: string) => terminal.note(line);
  const expectations = await expectationsOf(terminal, options);
  if (!expectations.ok) return printRefusal(terminal, options, expectations.refusal);
  const serving = await serveModels({
    ...{ references, say, keys: keys.value, tls: tls.value, address: options.listen, grpc: options.grpc },
    open: (reference) => openModel(connected, reference, surroundingsOf(terminal), options.programs),
    profiles: {
      folder: join(connected.home.path, profileFolder),
      expectations: expectations.value,
      trainedOn: (model) => ({
        manifest: isRegistered(model) ? model.manifest : null,
        reference: async () => (isRegistered(model) ? referenceOf(model) : null),
      }),
    },
    onServed: async (model) => {
      if (isRegistered(model)) await recordFacts(connected.client, model);
    },
    resolve: (reference) => resolveModel(connected.client, reference, () => undefined),
    ...(await trialOf(terminal, connected, options, say)),
    ...(options.logSample > 0
      ? { onAnswer: requestLog({ share: options.logSample, draw: Math.random, say }) }
      : {}),
  });
  if (!serving.ok) return printRefusal(terminal, options, serving.refusal);
  const { grpcAddress, renewTls, table, url } = serving.value;
  const served = table.places.filter(({ weight }) => weight > 0);
  const models = served.map(({ lane, reference }) => ({
    reference,
    model: lane.described.model.model,
    version: lane.described.model.version,
  }));
  terminal.out(
    options.json === true
      ? JSON.stringify({ url, ...(grpcAddress === null ? {} : { grpc: grpcAddress }), models })
      : `${models.map(({ model, reference, version }) => `${reference} is ${model}@${version}`).join("\n")}\nserving at ${url}${grpcAddress === null ? "" : `, gRPC at ${grpcAddress}`}`,
  );
  const endRenewal = keepTls(connected, options, tls.value, renewTls, say);
  await stopped;
  endRenewal();
  await serving.value.drain(drainMs);
  return exitCode.ok;
}

/** Of the dataset file that says them. */
async function expectationsOf(
  { environment }: Terminal,
  { expect }: Options,
): Promise<Outcome<readonly Expectation[]>> {
  if (expect === undefined) return accept([]);
  const { readDeclared } = await import("../../client/dataset/open-version.ts");
  const declared = await readDeclared(expect, environment);
  if (!declared.ok || declared.value.expect.length > 0)
    return declared.ok ? accept(declared.value.expect) : declared;
  return refuse(
    "invalid",
    `${expect} says nothing of what is expected; add a list \`expect:\` to it, as in expect: [{not-null: {column: text}}]`,
  );
}

/** What is on trial, and where that is recorded. */
async function trialOf(
  terminal: Terminal,
  connected: Connected,
  options: Options,
  say: (line: string) => void,
): Promise<Pick<ServeOptions, "rollout">> {
  const plan = rolloutPlanOf(options);
  if (plan === null) return {};
  const { MeshLedger } = await import("../../client/model/mesh-ledger.ts");
  const { checkVersion } = await import("../../client/model/check-version.ts");
  const ledger = new MeshLedger({
    ...{ say, client: connected.client },
    check: (version) => checkVersion(connected, version, terminal),
    wait: (ms) => sleep(ms, undefined, { ref: false }),
  });
  return { rollout: { plan, ledger } };
}

/** Who may ask, and with whose certificate it is answered. */
export function withDoorFlags(command: Command): Command {
  return command
    .option(
      "--key-file <file>",
      "callers need a key: a line each with a name, a token, and requests a second if bounded",
      fileArgument,
    )
    .option(
      "--tls-cert <file>",
      "certificate, PEM; by default one of the mesh's authority where TLS is needed",
      fileArgument,
    )
    .option("--tls-key <file>", "its key, PEM", fileArgument);
}

export function keysOf({ keyFile }: DoorOptions): Outcome<CallerKeys | null> {
  if (keyFile === undefined) return accept(null);
  const text = readPrivateFile(keyFile);
  return text.ok ? CallerKeys.read(text.value) : text;
}

export function tlsOf(
  { home }: Connected,
  { grpc, keyFile, listen, tlsCert, tlsKey }: DoorOptions,
): Outcome<ServingTls | null> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    return refuse(
      "invalid",
      "--tls-cert and --tls-key belong together: one is the certificate, the other its key",
    );
  if (tlsCert !== undefined && tlsKey !== undefined) return ownCertificate(tlsCert, tlsKey);
  const host = exposedHost({ listen, grpc });
  return host === null || keyFile === undefined ? accept(null) : meshCertificate(home, host, Date.now());
}

/** What is reached from beyond this machine; null where nothing is. */
function exposedHost({ grpc, listen }: { listen: ServingAddress; grpc: ServingAddress | undefined }) {
  const addresses = [listen, ...(grpc === undefined ? [] : [grpc])];
  return addresses.find(({ host }) => !isLoopbackHost(host))?.host ?? null;
}

/** Only what the mesh signed is made anew. Returns what ends it. */
export function keepTls(
  { home }: Connected,
  { grpc, listen, tlsCert }: DoorOptions,
  tls: ServingTls | null,
  renew: (tls: ServingTls) => void,
  say: (line: string) => void,
): () => void {
  if (tls === null || tlsCert !== undefined) return () => undefined;
  say(`callers believe it by ${authorityFile(home.path)}`);
  let newest = tls;
  return keepServerCertificate({
    life: serverLife,
    now: Date.now,
    log: say,
    write: () => {
      const host = exposedHost({ listen, grpc }) ?? listen.host;
      const written = meshCertificate(home, host, Date.now());
      if (written.ok) newest = written.value;
      return written;
    },
    reload: () => renew(newest),
  });
}
