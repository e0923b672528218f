/**
 * TLS-6: how a home that joined before its mesh spoke with TLS learns whom to believe: the server shows the authority's certificate, and the
 * operator's signature in it, by the key that every credential names, says that it is this mesh's. Asks nobody else.
 */
import { shownCertificates } from "./server-fault.ts";
import { isAuthorityOf } from "../protocol/certificate/authority-proof.ts";
import { refuse, type Outcome } from "../protocol/refusal.ts";
import type { Credential } from "./credential.ts";
import { saveHome, type Home } from "./home.ts";
import { operatorCheck } from "./mesh-trust.ts";

/** The home as it is from now on. */
export async function learnAuthority(home: Home, credential: Credential): Promise<Outcome<Home>> {
  const { name, role } = credential;
  const check = operatorCheck(credential);
  if (!check.ok) return check;
  const shown = (await shownCertificates(home.url)) ?? [];
  const authority = shown.find((certificate) => isAuthorityOf(certificate, home.mesh, check.value));
  if (authority !== undefined)
    return saveHome(home.path, home.mesh, home.url, {
      kind: "mesh",
      authority: authority.toString(),
      mesh: home.mesh,
    });
  return refuse(
    "forbidden",
    `the server at ${home.url} speaks with TLS and does not show that it is that of mesh ${home.mesh}; where it is, ask its owner for a new \`trialmesh invite ${role} ${name}\``,
  );
}
