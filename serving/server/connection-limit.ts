/** How long and how much the server gives each connection. */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { bodyBytesMax } from "../protocol/serving-limit.ts";

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
  /** For all headers, for the whole request, and without a byte either way, between two requests too. */
  readonly headersMaxMs: number;
  readonly requestMaxMs: number;
  readonly silenceMaxMs: number;
  readonly lookMs: number;
  /** Of all bodies that are still coming. */
  readonly heldBytesMax: number;
  /** Of a body that is too large, what is still read so that its sender hears why. */
  readonly discardBytesMax: number;
}

export const connectionLimits: ConnectionLimits = {
  connectionsMax: 2_048,
  headerBytesMax: 16_384,
  headersMaxMs: 10_000,
  requestMaxMs: 30_000,
  silenceMaxMs: 120_000,
  lookMs: 1_000,
  heldBytesMax: 16 * bodyBytesMax,
  discardBytesMax: 64 * bytesPerMiB,
};
