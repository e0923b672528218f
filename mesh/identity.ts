/**
 * Who vouches for whom: the operator signs the accounts, the mesh account's signing key signs the
 * users. The seeds lie in the home's `keys`, 0600, and never leave it.
 * Not the users themselves (`credential.ts`), nor what was taken back (`revoke.ts`).
 */
import { encodeAccount, encodeOperator, type Account } from "@nats-io/jwt";
import { createAccount, createOperator, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { existsSync } from "node:fs";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { inHome, type Home } from "./home.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";

export interface Identity {
  readonly operator: KeyPair;
  readonly systemAccount: KeyPair;
  readonly meshAccount: KeyPair;
  /** Signs users in the mesh account's name, so that the account's own key stays unused day to day. */
  readonly signing: KeyPair;
}

const keyNames = ["operator", "system-account", "mesh-account", "signing"] as const;
type KeyName = (typeof keyNames)[number];

/** Public key → Unix time in seconds: users of that key issued up to then are refused. */
export type Revocations = Readonly<Record<string, number>>;

/** An unset limit is encoded as 0, which means "none allowed"; -1 means "no limit". */
const unlimited = -1;
const accountLimits = {
  subs: unlimited,
  data: unlimited,
  payload: unlimited,
  imports: unlimited,
  exports: unlimited,
  wildcards: true,
  conn: unlimited,
  leaf: 0,
  disallow_bearer: true,
} as const;
const jetstreamLimits = {
  mem_storage: unlimited,
  disk_storage: unlimited,
  streams: unlimited,
  consumer: unlimited,
  max_ack_pending: unlimited,
} as const;

/** Loads the home's keys; makes them on the first call. A home with only some of them is refused. */
export function ensureIdentity(home: Home): Outcome<Identity> {
  const present = keyNames.filter((name) => existsSync(keyFile(home, name)));
  if (present.length === keyNames.length) return loadIdentity(home);
  if (present.length > 0) {
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

export function operatorToken(identity: Identity, mesh: string): Promise<string> {
  return encodeOperator(`trialmesh-${mesh}`, identity.operator, {
    system_account: identity.systemAccount.getPublicKey(),
  });
}

/** The system account may manage the server and holds no streams. */
export function systemAccountToken(identity: Identity): Promise<string> {
  const account: Partial<Account> = { limits: { ...accountLimits } };
  return encodeAccount("SYS", identity.systemAccount, account, { signer: identity.operator });
}

export function meshAccountToken(
  identity: Identity,
  mesh: string,
  revocations: Revocations,
): Promise<string> {
  const account: Partial<Account> = {
    limits: { ...accountLimits, ...jetstreamLimits },
    signing_keys: [identity.signing.getPublicKey()],
    revocations: { ...revocations },
  };
  return encodeAccount(mesh, identity.meshAccount, account, { signer: identity.operator });
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
