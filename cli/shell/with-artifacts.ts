/** Opens this machine's artifacts for a command, with the mesh where it can be asked, and closes both after it. */
import { openDesk, type ArtifactDesk } from "../../client/artifact/artifact-desk.ts";
import type { Progress } from "../../client/artifact/bring-artifact.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes } from "../../text/figure.ts";
import { printRefusal } from "./answer.ts";
import type { Terminal } from "./terminal.ts";
import type { MeshOptions } from "./with-mesh.ts";

export async function withArtifacts(
  terminal: Terminal,
  options: MeshOptions,
  use: (desk: ArtifactDesk) => Promise<ExitCode>,
): Promise<ExitCode> {
  const connected = await terminal.connect(options.as);
  const mesh = connected.ok ? connected.value : null;
  try {
    const desk = await openDesk(terminal.environment, mesh);
    // Where there is no home either, why there is no mesh says more.
    if (!desk.ok) return printRefusal(terminal, options, connected.ok ? desk.refusal : connected.refusal);
    if (!connected.ok)
      terminal.note(
        `trialmesh: of this machine alone, for the mesh cannot be asked: ${connected.refusal.message}`,
      );
    try {
      return await use(desk.value);
    } finally {
      await desk.value.store.close();
    }
  } finally {
    await mesh?.client.close();
  }
}

/** Says how far something is, where somebody looks at it. */
export function progressOf(terminal: Terminal, what: string): Progress {
  const begun = performance.now();
  let saidAt = begun;
  let first: number | null = null;
  return (done, of, agents) => {
    first ??= done;
    const now = performance.now();
    if (!terminal.interactive || now - saidAt < progressMs) return;
    saidAt = now;
    const rate = formatBytes(Math.round(((done - first) * 1_000) / (now - begun)));
    const share = of === 0 ? 100 : Math.floor((100 * done) / of);
    const from = agents === 0 ? "" : ` from ${plural(agents, "agent")}`;
    terminal.note(`${what}: ${formatBytes(done)} of ${formatBytes(of)} (${share}%), ${rate}/s${from}`);
  };
}

const progressMs = 1_000;
