/** `trialmesh gateway`: one address before the deployments of a mesh, on any machine, until it is ended. */
import { Option, type Command } from "commander";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { untilClosed, untilStopped, upEndMs } from "../../mesh/part/until-stopped.ts";
import type { ServingAddress } from "../../serving/server/http-door.ts";
import { printRefusal } from "../shell/answer.ts";
import { listenFlag } from "../shell/listen-flag.ts";
import { action, asking, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import { gatewayPort } from "./gateway-of-up.ts";
import { keepTls, keysOf, tlsOf, withDoorFlags } from "./serve.ts";

interface Options extends MeshOptions {
  readonly listen: ServingAddress;
  readonly keyFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** What was asked before the end is answered within this. */
const drainMs = 10_000;

export function gatewayCommand(terminal: Terminal): Command {
  return withDoorFlags(
    asking("gateway", "one address before the deployments of the mesh, until ctrl-c").addOption(
      new Option("--listen <host:port>", "where to listen; beyond this machine only with keys and TLS")
        .argParser(listenFlag(`127.0.0.1:${gatewayPort}`))
        .default({ host: "127.0.0.1", port: gatewayPort }, `127.0.0.1:${gatewayPort}`),
    ),
  )
    .addHelpText(
      "after",
      examples("trialmesh gateway", "trialmesh gateway --listen 0.0.0.0:8443 --key-file keys.txt"),
    )
    .action(
      action(terminal, (options: Options) => {
        terminal.last();
        return withMesh(terminal, options, (connected) => run(terminal, connected, options));
      }),
    );
}

async function run(terminal: Terminal, connected: Connected, options: Options): Promise<ExitCode> {
  const stopped = Promise.race([untilStopped(upEndMs), untilClosed(connected.bus, upEndMs)]);
  const keys = keysOf(options);
  if (!keys.ok) return printRefusal(terminal, options, keys.refusal);
  const tls = tlsOf(connected, options);
  if (!tls.ok) return printRefusal(terminal, options, tls.refusal);
  // Loaded only here: it is no concern of the other commands.
  const { gatewaySource, openGateway } = await import("../../gateway/open-gateway.ts");
  const gateway = await openGateway(gatewaySource(connected), {
    ...{ address: options.listen, keys: keys.value, tls: tls.value },
    ...{ clock: systemClock, draw: Math.random },
  });
  if (!gateway.ok) return printRefusal(terminal, options, gateway.refusal);
  const { drain, renewTls, url } = gateway.value;
  terminal.out(options.json === true ? JSON.stringify({ url }) : `gateway at ${url}`);
  const endRenewal = keepTls(connected, options, tls.value, renewTls, (line) => terminal.note(line));
  await stopped;
  endRenewal();
  await drain(drainMs);
  return exitCode.ok;
}
