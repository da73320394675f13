import { withoutIds } from "./answer.ts";
import type { Recording } from "./recording.ts";

/**
 * A recording without what differs between any two calls: the call's id. The date is left out where it is read, and
 * timings are never recorded.
 */
export function normalForm(recording: Recording): Recording {
  const read: Recording = JSON.parse(withoutIds(JSON.stringify(recording)));
  return { ...read, rest: withoutEncodedDetails(read.rest), ...withoutEncodedStatus(read) };
}

/** Details in Connect's JSON are there twice: encoded, and as JSON. */
function withoutEncodedDetails(text: string): string {
  return text.replaceAll(/"value":"[\w+/=-]+"/g, '"value":"<detail>"');
}

/** The encoded status holds the call's id, too; it is compared decoded. */
function withoutEncodedStatus({ headers, trailers }: Recording): Pick<Recording, "headers" | "trailers"> {
  const name = "grpc-status-details-bin";
  const strip = (from: Recording["headers"]) => from && { ...from, ...(name in from && { [name]: "<status>" }) };
  return { headers: strip(headers), trailers: strip(trailers) };
}
