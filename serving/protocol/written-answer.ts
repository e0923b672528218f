/** An answer as it goes out: its bytes or text and what its headers say of them. */
export interface WrittenAnswer {
  /** 200 where it is left out. */
  readonly status?: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** A text of ASCII alone, as most are: as long in bytes as it is in characters, and written without being encoded. */
  readonly isAscii: boolean;
  /** `Inference-Header-Content-Length`: bytes of JSON before the tensors; null where all is JSON. */
  readonly inferenceHeader: number | null;
}

export function isAsciiText(text: string): boolean {
  return !beyondAscii.test(text);
}

const beyondAscii = /[\u0080-\uffff]/;
