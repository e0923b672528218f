/**
 * How a user asks for a certificate: on a subject that it may speak on, where a leader passes over it (`protocol/renewal.ts`). The role and name in
 * the subject are the server's word for who asks; it hands over its public key and says what its clock shows. Not who answers.
 */
import * as z from "zod";
import { longText, shortText } from "../bound.ts";

export const certificateRequestSchema = z.object({
  renew: z.object({
    certificate: z.object({
      /** Of the key that the certificate is to be for: SPKI in DER, base64. */
      publicKey: longText,
      /** Its NATS user's. */
      userKey: shortText,
      /** Unix time in ms, by its own clock. */
      at: z.number(),
    }),
  }),
});
export type CertificateRequest = z.infer<typeof certificateRequestSchema>["renew"]["certificate"];

/** A request to renew a credential goes another way. */
export function asksForCertificate(body: unknown): boolean {
  return z.looseObject({ renew: z.looseObject({ certificate: z.looseObject({}) }) }).safeParse(body).success;
}

export const certificateAnswerSchema = z.object({
  /** PEM. */
  certificate: longText,
  authority: longText,
  /** Unix time in ms, by the clock of the machine with the keys. */
  at: z.number(),
});
export type CertificateAnswer = z.infer<typeof certificateAnswerSchema>;
