/** Somebody with the mesh's keys who may do anything to its streams, which no credential that the program issues may. */
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { jetstreamManager } from "@nats-io/jetstream";
import { createUser } from "@nats-io/nkeys";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import type { Home } from "../../mesh/home.ts";
import { loadIdentity } from "../../mesh/identity.ts";
import { busTls } from "../../mesh/server-trust.ts";
import { valueOf } from "./live-mesh.ts";

export interface StreamAdministrator {
  deleteStream(name: string): Promise<void>;
  /** Takes all its messages, as time does. */
  emptyStream(name: string): Promise<void>;
  deleteMessage(stream: string, sequence: number): Promise<void>;
  close(): Promise<void>;
}

export async function streamAdministrator(home: Home): Promise<StreamAdministrator> {
  const identity = valueOf(loadIdentity(home));
  const user = createUser();
  const token = await encodeUser(
    "administrator",
    user,
    identity.meshAccount,
    {},
    { signer: identity.signing },
  );
  const connection = await connect({
    servers: home.url,
    tls: busTls(home),
    authenticator: credsAuthenticator(fmtCreds(token, user)),
  });
  const { streams } = await jetstreamManager(connection, { checkAPI: false });
  return {
    deleteStream: async (name) => void (await streams.delete(name)),
    emptyStream: async (name) => void (await streams.purge(name)),
    deleteMessage: async (stream, sequence) => void (await streams.deleteMessage(stream, sequence, false)),
    close: () => connection.close(),
  };
}
