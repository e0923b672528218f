/** The few headers that matter, found in the list that Node keeps as it came: making an object of all costs more than the model. */

export interface RequestHeaders {
  contentType: string | null;
  contentEncoding: string | null;
  contentLength: string | null;
  inferenceHeader: string | null;
  authorization: string | null;
}

/** `raw`: names and values in turn. Of a header that comes twice the last counts. */
export function readHeaders(raw: readonly string[]): RequestHeaders {
  const found: RequestHeaders = {
    ...{ contentType: null, contentEncoding: null, contentLength: null },
    ...{ inferenceHeader: null, authorization: null },
  };
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    // By length first: nearly all of the others are known by it.
    switch (name.length) {
      case 12:
        if (name.toLowerCase() === "content-type") found.contentType = raw[at + 1] ?? null;
        break;
      case 13:
        if (name.toLowerCase() === "authorization") found.authorization = raw[at + 1] ?? null;
        break;
      case 14:
        if (name.toLowerCase() === "content-length") found.contentLength = raw[at + 1] ?? null;
        break;
      case 16:
        if (name.toLowerCase() === "content-encoding") found.contentEncoding = raw[at + 1] ?? null;
        break;
      case 31:
        if (name.toLowerCase() === "inference-header-content-length")
          found.inferenceHeader = raw[at + 1] ?? null;
        break;
    }
  }
  return found;
}
