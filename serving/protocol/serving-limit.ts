/** How large whatever a caller sends may be. What holds between the limits is asserted in the tests of the protocols. */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

/** Of one body, as it comes and after it is unpacked. */
export const bodyBytesMax = 16 * bytesPerMiB;
/** Of one request. */
export const rowsPerRequestMax = 100_000;
/** Of one text; more is a document that was not split. */
export const cellCharactersMax = 262_144;
/** Of one answer: rows by labels. */
export const answerNumbersMax = 4_000_000;
/** An input's shape: rows, and at most one more. */
export const dimensionsMax = 8;
