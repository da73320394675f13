/** A word of every question. No error and no log line may hold it. */
export const SECRET = "xyzzy-secret";
