/**
 * Where a user with a credential of before each had an account of its own asks for a new one: on subjects that such a credential may speak on,
 * beside what a leader hears there. Not who answers, nor whom.
 */
import * as z from "zod";
import { nameSchema } from "./name.ts";
import { coordinatorPatterns, roles, senderOf, agentOf, subjectsOf, type Role } from "./subjects.ts";

const query = "renew";
const ping = "ping";

/** A request to renew says so, so that a leader leaves it to who has the keys. */
export function isRenewal(body: unknown): boolean {
  return z.looseObject({ renew: z.looseObject({}) }).safeParse(body).success;
}

export function renewalSubject(mesh: string, role: Role, name: string): string {
  const subjects = subjectsOf(mesh);
  if (role === "agent") return subjects.register(name);
  return subjects.query(role, name, role === "coordinator" ? ping : query);
}

export function renewalPatterns(mesh: string): readonly string[] {
  const subjects = subjectsOf(mesh);
  return [
    coordinatorPatterns(mesh).registers,
    ...roles
      .filter((role) => role !== "agent")
      .map((role) => subjects.query(role, "*", role === "coordinator" ? ping : query)),
  ];
}

/** Who asks, by the subject. */
export function renewalAsker(subject: string): { readonly role: Role; readonly name: string } | null {
  const isAgent = subject.split(".")[3] === "hello";
  const { role: roleText, who } = senderOf(subject);
  const role = isAgent ? "agent" : roles.find((known) => known === roleText);
  const name = nameSchema.safeParse(isAgent ? agentOf(subject) : who);
  return role === undefined || !name.success ? null : { role, name: name.data };
}
