/** Connects a command to the mesh of this home, and ends the connection after it. */
import type { Connected } from "../../client/connect/connect-mesh.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { printRefusal, type PrintOptions } from "./answer.ts";
import type { Terminal } from "./terminal.ts";

export interface MeshOptions extends PrintOptions {
  /** A requester or viewer by name. */
  readonly as?: string;
}

export async function withMesh(
  terminal: Terminal,
  options: MeshOptions,
  use: (connected: Connected) => Promise<ExitCode>,
): Promise<ExitCode> {
  const connected = await terminal.connect(options.as);
  if (!connected.ok) return printRefusal(terminal, options, connected.refusal);
  try {
    return await use(connected.value);
  } finally {
    await connected.value.client.close();
  }
}
