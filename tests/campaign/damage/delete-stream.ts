/** The journal's stream, deleted on the running server: by nobody of the mesh, whose credentials do not let them. */
import { openHome } from "../../../mesh/home.ts";
import { streamsOf } from "../../../protocol/subjects.ts";
import { valueOf } from "../../support/live-mesh.ts";
import { streamAdministrator } from "../../support/stream-administrator.ts";
import type { DamagePlace } from "./damage-kind.ts";

export async function deleteStream({ mesh, path }: DamagePlace): Promise<string> {
  const administrator = await streamAdministrator(valueOf(openHome(path)));
  try {
    await administrator.deleteStream(streamsOf(mesh).journal);
  } finally {
    await administrator.close();
  }
  return "deleted the journal's stream";
}
