import { invalidRequest } from "../core/failure.ts";

/** Tokens of another format, such as an older one, are refused rather than misread. */
const FORMAT = "1";

/** An opaque token that says where the next page begins: after `name`, so that it stays true when entries come and go. */
export function pageTokenAfter(name: string): string {
  return Buffer.from(`${FORMAT}${name}`).toString("base64url");
}

/**
 * The name after which the page begins; empty for the first page.
 * @throws SluiceError INVALID_REQUEST for `page_token`, where the token is none of ours.
 */
export function readPageToken(token: string): string {
  if (token === "") return "";
  const text = Buffer.from(token, "base64url").toString();
  const name = text.slice(FORMAT.length);
  if (name === "" || pageTokenAfter(name) !== token) {
    throw invalidRequest("page_token", "page_token", "must be a next_page_token as it was given, or empty");
  }
  return name;
}
