/** Brings a build to a machine, once: whole where it is like this one, else with packages from npm's registry. ADD-3: it is there whole or not at all. */
import { packBuild } from "../../mesh/build/pack-build.ts";
import type { Build } from "../../mesh/build/own-build.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import type { Fit, HostFacts } from "./host-fact.ts";
import { unpackScript } from "./remote-script.ts";
import type { SshSession } from "./ssh-session.ts";

export async function bringBuild(
  { environment, say }: Surroundings,
  session: SshSession,
  build: Build,
  { facts, fit }: { readonly facts: HostFacts; readonly fit: Fit },
): Promise<Outcome<null>> {
  if (facts.builds.includes(build.id)) return accept(null);
  say(`packing trialmesh ${build.version}, build ${build.id}`);
  const packed = await packBuild(environment, build, fit === "same");
  if (!packed.ok) return packed;
  const { bytes, file } = packed.value;
  say(
    fit === "same"
      ? `sending it to ${session.destination}: ${Math.round(bytes / bytesPerMiB)} MiB`
      : `sending it to ${session.destination}, where npm fetches its packages for ${facts.os} on ${facts.arch}`,
  );
  const unpacked = await session.run(unpackScript(build.id, fit === "npm"), { file });
  return unpacked.ok ? accept(null) : unpacked;
}
