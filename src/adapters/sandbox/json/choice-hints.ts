/** Words that commonly go with what a choice names: tickets, priorities and moods, which is what people try first. */
const HINTS: Readonly<Record<string, string>> = {
  billing: "invoice charge charged twice refund payment paid card credit subscription price receipt money",
  payment: "invoice charge refund paid card credit subscription money",
  bug: "error crash broken fail failed exception wrong stuck freeze bug reproduce regression stopped",
  technical: "error crash broken fail failed exception timeout bug api server integration install stopped",
  incident: "outage down unavailable production error",
  account: "login password sign account email profile locked access reset user",
  access: "login password permission locked denied account",
  feature: "feature request wish would nice add support suggestion idea improve",
  shipping: "delivery package parcel courier tracking arrived shipment order",
  delivery: "package parcel courier tracking arrived shipment late",
  return: "return exchange refund damaged broken",
  complaint: "unacceptable disappointed angry terrible worst complaint",
  question: "how wondering question possible",
  outage: "down unavailable unreachable nobody everyone everybody 503 502 error several",
  how: "how where possible change",
  security: "breach leak phishing vulnerability hacked suspicious stolen",
  cancellation: "cancel cancellation terminate close unsubscribe",
  urgent: "urgent asap immediately emergency outage down critical production everyone nobody now",
  critical: "urgent asap immediately emergency outage down critical production everyone nobody now",
  high: "urgent soon blocked important deadline today cannot twice",
  low: "whenever minor small cosmetic typo curious wondering hurry",
  negative: "angry disappointed terrible bad unacceptable frustrated worst broken",
  positive: "great thanks love excellent happy wonderful perfect",
};

/** Words that hint at a choice such as "billing" or "feature_request"; none for most. */
export function hintsFor(choice: string): readonly string[] {
  return choice
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .flatMap((word) => (Object.hasOwn(HINTS, word) ? (HINTS[word] ?? "").split(" ") : []));
}
