/**
 * Who vouches for whom: the operator signs the accounts, one signing key signs the users of all of them. The seeds lie
 * in the home's `keys`, 0600, and never leave it.
 * Not the accounts (`account.ts`) and users (`credential.ts`) themselves, nor what was taken back (`revoke.ts`).
 */
import { createAccount, createOperator, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { existsSync, readdirSync } from "node:fs";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { inHome, type Home } from "./home.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";

export interface Identity {
  readonly operator: KeyPair;
  readonly systemAccount: KeyPair;
  /** The account with the streams, which only coordinators enter. */
  readonly meshAccount: KeyPair;
  /** Signs the users of every account, so that no account's own key is used day to day. */
  readonly signing: KeyPair;
}

const keyNames = ["operator", "system-account", "mesh-account", "signing"] as const;
type KeyName = (typeof keyNames)[number];

/**
 * Loads the home's keys; makes them on the first call. A home with only some of them is refused, unless nobody has been
 * vouched for with these yet: then the making of it was broken off, and begins again.
 */
export function ensureIdentity(home: Home): Outcome<Identity> {
  const present = keyNames.filter((name) => existsSync(keyFile(home, name)));
  if (present.length === keyNames.length) return loadIdentity(home);
  if (present.length > 0 && readdirSync(inHome(home.path, "creds", "")).length > 0) {
    const missing = keyNames.filter((name) => !present.includes(name));
    return refuse(
      "conflict",
      `${inHome(home.path, "keys", "")} lacks ${missing.join(", ")}; restore the folder from a backup, or start a new mesh in another TRIALMESH_HOME`,
    );
  }
  const identity: Identity = {
    operator: createOperator(),
    systemAccount: createAccount(),
    meshAccount: createAccount(),
    signing: createAccount(),
  };
  for (const name of keyNames) {
    const seed = new TextDecoder().decode(keyOf(identity, name).getSeed());
    const written = writePrivateFile(keyFile(home, name), `${seed}\n`);
    if (!written.ok) return written;
  }
  return accept(identity);
}

/** Loads the keys of a home that made its mesh; one that only joined a mesh has none. */
export function loadIdentity(home: Home): Outcome<Identity> {
  const keys = keysOf(home);
  if (!keys.ok || !home.outdated) return keys;
  return refuse(
    "conflict",
    `${home.path} was made before each user had an account of its own; start it once with \`trialmesh up\`, which brings it up to date`,
  );
}

/** The same of a home that is yet to be brought up to date. */
export function keysOf(home: Home): Outcome<Identity> {
  if (!existsSync(keyFile(home, "operator"))) {
    return refuse(
      "forbidden",
      `${home.path} joined a mesh made elsewhere and holds no keys to it; run this on the machine where \`trialmesh up\` made the mesh`,
    );
  }
  const operator = loadKey(home, "operator", "O");
  if (!operator.ok) return operator;
  const systemAccount = loadKey(home, "system-account", "A");
  if (!systemAccount.ok) return systemAccount;
  const meshAccount = loadKey(home, "mesh-account", "A");
  if (!meshAccount.ok) return meshAccount;
  const signing = loadKey(home, "signing", "A");
  if (!signing.ok) return signing;
  return accept({
    operator: operator.value,
    systemAccount: systemAccount.value,
    meshAccount: meshAccount.value,
    signing: signing.value,
  });
}

/**
 * A new key to sign users with: what the old one has signed counts from the server's next start on only where an account
 * still names it (`upgrade-home.ts`).
 */
export function renewSigning(home: Home): Outcome<string> {
  const seed = new TextDecoder().decode(createAccount().getSeed());
  return writePrivateFile(keyFile(home, "signing"), `${seed}\n`);
}

function keyFile(home: Home, name: KeyName): string {
  return inHome(home.path, "keys", `${name}.nk`);
}

function keyOf(identity: Identity, name: KeyName): KeyPair {
  switch (name) {
    case "operator":
      return identity.operator;
    case "system-account":
      return identity.systemAccount;
    case "mesh-account":
      return identity.meshAccount;
    case "signing":
      return identity.signing;
  }
}

function loadKey(home: Home, name: KeyName, kind: "O" | "A"): Outcome<KeyPair> {
  const path = keyFile(home, name);
  const seed = readPrivateFile(path);
  if (!seed.ok) return seed;
  try {
    const pair = fromSeed(new TextEncoder().encode(seed.value.trim()));
    if (pair.getPublicKey().startsWith(kind)) return accept(pair);
  } catch {
    // Falls through: a seed that does not decode and one of the wrong kind are refused alike.
  }
  return refuse("invalid", `${path} does not hold a seed of the ${name} key; restore it from a backup`);
}
