/**
 * The mesh's home: the folder of one user on one machine that says which mesh it belongs to and
 * holds its keys, credentials and server files. Not the place of datasets, models or journals'
 * projections: those folders stand beside it and are the business of agent and coordinator.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { anyValue, longText } from "../protocol/bound.ts";
import { nameSchema } from "../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../system/private-file.ts";
import { refuseDisk, systemCode } from "../system/system-error.ts";
import type { ServerTrust } from "./server-trust.ts";
import { readHomeTls, writeHomeTls } from "./home-tls.ts";

/** Version of the layout below, and of the accounts its keys make; a home of a version unknown here is refused. */
export const homeVersion = 2;
/** Of before users had accounts of their own: `upgrade-home.ts`. */
const firstVersion = 1;

const serverUrlSchema = longText.regex(
  /^(nats|tls):\/\/[^\s/]+$/,
  "a server's address looks like nats://host:4222",
);

const homeFileSchema = z.object({
  version: z.union([z.literal(firstVersion), z.literal(homeVersion)]),
  mesh: nameSchema,
  url: serverUrlSchema,
  /** Left out: without TLS, or of before there was any (`home-tls.ts`). */
  tls: z.enum(["mesh", "named"]).optional(),
});

/** What tells `mesh.json` of any version from a file that happens to have its name. */
const homeMark = z.looseObject({ version: z.number(), mesh: longText, url: longText });

export interface Home {
  readonly path: string;
  readonly mesh: string;
  /** Where this machine reaches the mesh's server, `nats://host:port`. */
  readonly url: string;
  /** How the server is reached and whom it is believed; null: without TLS, until it asks for it (`learn-authority.ts`). */
  readonly tls: ServerTrust | null;
  /** Its credentials are of before users had accounts of their own. */
  readonly outdated: boolean;
}

/** `TRIALMESH_HOME`, or `.trialmesh` in the user's own folder. */
export function homePath(environment: Readonly<Record<string, string | undefined>>): string {
  const given = environment["TRIALMESH_HOME"];
  return given === undefined || given === "" ? join(homedir(), ".trialmesh") : resolve(given);
}

export const homeFolders = ["keys", "jwt", "creds", "users", "server", "tls"] as const;
export type HomeFolder = (typeof homeFolders)[number];

export function inHome(path: string, folder: HomeFolder, file: string): string {
  return join(path, folder, file);
}

function homeFile(path: string): string {
  return join(path, "mesh.json");
}

/** True when a mesh was made or joined here; says nothing about whether it can be opened. */
export function homeExists(path: string): boolean {
  return existsSync(homeFile(path));
}

/** True where this folder is the home of a mesh, whole or not: what lies in it must not travel. */
export function isHomeFolder(folder: string): boolean {
  try {
    const content: unknown = JSON.parse(readFileSync(homeFile(folder), "utf8"));
    return homeMark.safeParse(content).success;
  } catch {
    return false;
  }
}

/** Opens an existing home. Refuses one that is missing, unreadable, not a folder, or of another version. */
export function openHome(path: string): Outcome<Home> {
  const folder = checkFolder(path);
  if (!folder.ok) return folder;
  const file = homeFile(path);
  if (!existsSync(file)) {
    return refuse(
      "unknown",
      `no mesh in ${path}; start one with \`trialmesh up\`, or join one with \`trialmesh agent --join …\``,
    );
  }
  const text = readPrivateFile(file);
  if (!text.ok) return text;
  const json = parseJsonFile(file, text.value);
  if (!json.ok) return json;
  const version = z.looseObject({ version: anyValue.optional() }).safeParse(json.value);
  if (version.success && version.data.version !== firstVersion && version.data.version !== homeVersion) {
    const found = JSON.stringify(version.data.version) ?? "none";
    return refuse(
      "conflict",
      `${path} is a home of version ${found} and this trialmesh keeps version ${homeVersion}; use the trialmesh that made it, or another folder with TRIALMESH_HOME`,
    );
  }
  const parsed = parseOutside(homeFileSchema, json.value, file);
  if (!parsed.ok) return parsed;
  const { mesh, tls, url } = parsed.value;
  const trusted = tls === undefined ? accept(null) : readHomeTls(path, mesh, tls);
  if (!trusted.ok) return trusted;
  return accept({ path, mesh, url, tls: trusted.value, outdated: parsed.value.version !== homeVersion });
}

/** Makes the folders (0700) of a home that is not one yet: `mesh.json` comes last, once all that it stands for is there. */
export function prepareHome(
  path: string,
  mesh: string,
  url: string,
  tls: ServerTrust | null = null,
): Outcome<Home> {
  const parsed = parseOutside(homeFileSchema, { version: homeVersion, mesh, url }, "the mesh");
  if (!parsed.ok) return parsed;
  for (const folder of [path, ...homeFolders.map((name) => join(path, name))]) {
    const made = ensurePrivateFolder(folder);
    if (!made.ok) return made;
  }
  return accept({ path, mesh, url, tls, outdated: false });
}

/** Makes the folders and `mesh.json` (0600), or rewrites the latter with a new address and whom the server there is believed by. */
export function saveHome(
  path: string,
  mesh: string,
  url: string,
  tls: ServerTrust | null = null,
): Outcome<Home> {
  const home = prepareHome(path, mesh, url, tls);
  if (!home.ok) return home;
  const trusted = tls === null ? accept(null) : writeHomeTls(path, tls);
  if (!trusted.ok) return trusted;
  const text = JSON.stringify(
    { version: homeVersion, mesh, url, ...(tls === null ? {} : { tls: tls.kind }) },
    null,
    2,
  );
  const written = writePrivateFile(homeFile(path), `${text}\n`);
  return written.ok ? home : written;
}

function checkFolder(path: string): Outcome<null> {
  try {
    if (!statSync(path).isDirectory()) {
      return refuse(
        "invalid",
        `${path} is not a folder; set TRIALMESH_HOME to a folder for the mesh's files`,
      );
    }
  } catch (error) {
    if (systemCode(error) !== "ENOENT") return refuseDisk(error, "read", path);
  }
  return accept(null);
}
