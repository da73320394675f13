import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";

/** How the messages of one call are compressed. */
export interface Compression {
  /** Whether requests may come in gzip. */
  readonly reads: boolean;
  /** Whether answers may go in gzip. */
  readonly writes: boolean;
  /** Told once the call is let in, where the caller compresses in a way that is not known here. */
  readonly error?: ConnectError;
}

/** Where a protocol says how messages are compressed; in lower case. */
export interface EncodingHeaders {
  readonly sent: string;
  readonly accepted: string;
}

const GZIP = compressionGzip.name;
const ACCEPTS_GZIP = /(?:^|,)\s*gzip\s*(?:,|$)/;
const none: Compression = { reads: false, writes: false };
const both: Compression = { reads: true, writes: true };
const answers: Compression = { reads: false, writes: true };
const requests: Compression = { reads: true, writes: false };

/** By the headers of a request. Who compresses and does not say what it accepts, accepts what it sends. */
export function negotiateCompression(headers: IncomingHttpHeaders, names: EncodingHeaders): Compression {
  const sent = headers[names.sent];
  const accepted = headers[names.accepted];
  const reads = sent === GZIP;
  const writes = typeof accepted === "string" && accepted !== "" ? ACCEPTS_GZIP.test(accepted) : reads;
  if (sent === undefined || sent === "identity" || reads) {
    if (reads) return writes ? both : requests;
    return writes ? answers : none;
  }
  const error = new ConnectError(`unknown compression "${sent}": supported encodings are ${GZIP}`, Code.Unimplemented, {
    [names.accepted]: GZIP,
  });
  return { reads, writes, error };
}

export const { compress, decompress } = compressionGzip;
