/** An answer as it goes out: its bytes or text and what its headers say of them. */
export interface WrittenAnswer {
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** `Inference-Header-Content-Length`: bytes of JSON before the tensors; null where all is JSON. */
  readonly inferenceHeader: number | null;
}
