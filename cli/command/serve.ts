/** `trialmesh serve`: answers with registered models over HTTP, on this machine, until it is ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { Option, type Command } from "commander";
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
  readonly keyFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

interface Options extends MeshOptions, DoorOptions, RolloutOptionValues {
  readonly logSample: number;
  readonly programs: ProgramsAllowed;
}

/** What was asked before the end is answered within this. */
const drainMs = 10_000;

export function serveCommand(terminal: Terminal): Command {
  return withRolloutOptions(
    asking("serve", "answer with registered models over HTTP, following their aliases, until ctrl-c"),
  )
    .argument("<model...>", "name@alias, name@version or name", eachOf(namedModelArgument))
    .addOption(
      new Option("--listen <host:port>", "where to listen; beyond this machine only with keys and TLS")
        .argParser(listenFlag("127.0.0.1:8080"))
        .default({ host: "127.0.0.1", port: 8080 }, "127.0.0.1:8080"),
    )
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
    .option("--tls-key <file>", "its key, PEM", fileArgument)
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
  const say = (line: string) => terminal.note(line);
  const serving = await serveModels({
    ...{ references, say, keys: keys.value, tls: tls.value, address: options.listen },
    open: (reference) => openModel(connected, reference, surroundingsOf(terminal), options.programs),
    resolve: (reference) => resolveModel(connected.client, reference, () => undefined),
    ...(await trialOf(connected, options, say)),
    ...(options.logSample > 0
      ? { onAnswer: requestLog({ share: options.logSample, draw: Math.random, say }) }
      : {}),
  });
  if (!serving.ok) return printRefusal(terminal, options, serving.refusal);
  const { renewTls, table, url } = serving.value;
  const served = table.places.filter(({ weight }) => weight > 0);
  const models = served.map(({ lane, reference }) => ({
    reference,
    model: lane.described.model.model,
    version: lane.described.model.version,
  }));
  terminal.out(
    options.json === true
      ? JSON.stringify({ url, models })
      : `${models.map(({ model, reference, version }) => `${reference} is ${model}@${version}`).join("\n")}\nserving at ${url}`,
  );
  const endRenewal = keepTls(connected, options, tls.value, renewTls, say);
  await stopped;
  endRenewal();
  await serving.value.drain(drainMs);
  return exitCode.ok;
}

/** What is on trial, and where that is recorded. */
async function trialOf(
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
    check: (version) => checkVersion(connected, version),
    wait: (ms) => sleep(ms, undefined, { ref: false }),
  });
  return { rollout: { plan, ledger } };
}

export function keysOf({ keyFile }: DoorOptions): Outcome<CallerKeys | null> {
  if (keyFile === undefined) return accept(null);
  const text = readPrivateFile(keyFile);
  return text.ok ? CallerKeys.read(text.value) : text;
}

export function tlsOf(
  { home }: Connected,
  { keyFile, listen, tlsCert, tlsKey }: DoorOptions,
): Outcome<ServingTls | null> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    return refuse(
      "invalid",
      "--tls-cert and --tls-key belong together: one is the certificate, the other its key",
    );
  if (tlsCert !== undefined && tlsKey !== undefined) return ownCertificate(tlsCert, tlsKey);
  if (isLoopbackHost(listen.host) || keyFile === undefined) return accept(null);
  return meshCertificate(home, listen.host, Date.now());
}

/** Only what the mesh signed is made anew. Returns what ends it. */
export function keepTls(
  { home }: Connected,
  { listen, tlsCert }: DoorOptions,
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
      const written = meshCertificate(home, listen.host, Date.now());
      if (written.ok) newest = written.value;
      return written;
    },
    reload: () => renew(newest),
  });
}
