/** A model that is asked through its own program: a request goes there as it came, and what it answers comes back as it is. */
import type { Outcome } from "../../protocol/refusal.ts";

export interface ProgramRequest {
  /** `/predict`, `/invocations`, or `/v2/models/NAME/infer`. */
  readonly path: string;
  readonly contentType: string;
  /** `Inference-Header-Content-Length`; null where it was not sent. */
  readonly inferenceHeader: string | null;
  /** Unpacked. */
  readonly body: Uint8Array;
}

export interface ProgramAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly inferenceHeader: number | null;
  readonly body: Uint8Array;
}

export interface ProgramFace {
  /** Refused as "unavailable" where it does not answer, or with too much. */
  forward(request: ProgramRequest): Promise<Outcome<ProgramAnswer>>;
}
