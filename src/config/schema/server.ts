import * as z from "zod";
import { perMinute } from "./budgets.ts";
import { count, durationMs, plainText } from "./key.ts";

const filePath = plainText(4096);

const limits = z
  .strictObject({
    message_bytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(8 * 1024 * 1024)
      .meta({ description: "Largest message of a request, after decompression." }),
    response_bytes: z
      .int()
      .min(1024)
      .max(1024 * 1024 * 1024)
      .default(64 * 1024 * 1024)
      .meta({ description: "Largest message of an answer, before compression." }),
    compress_min_bytes: z
      .int()
      .min(1)
      .max(1024 * 1024 * 1024)
      .default(16 * 1024)
      .meta({ description: "Answers from this size on are compressed for callers that accept gzip." }),
    header_bytes: z
      .int()
      .min(1024)
      .max(1024 * 1024)
      .default(16 * 1024)
      .meta({ description: "Largest block of request headers." }),
    max_connections: count(1_000_000).default(4096).meta({
      unit: "connections",
      description: "Most open connections; further ones are closed at once.",
    }),
    max_streams: count(100_000).default(256).meta({
      unit: "streams",
      description: "Most HTTP/2 streams at once in one connection.",
    }),
    max_calls: count(1_000_000).default(4096).meta({
      unit: "calls",
      description: "Most calls in flight; further ones fail with OVERLOADED.",
    }),
    preface_timeout_ms: durationMs(1)
      .default(5_000)
      .meta({ description: "Longest wait for the first bytes of a connection." }),
    headers_timeout_ms: durationMs(1)
      .default(10_000)
      .meta({ description: "Longest wait for the whole of a request's headers." }),
    request_timeout_ms: durationMs(1)
      .default(60_000)
      .meta({ description: "Longest wait for the whole of a unary request." }),
    slow_reader_ms: durationMs(1).default(30_000).meta({
      description:
        "How long a stream may wait for its reader; then it ends with SLOW_READER. After as long again without a byte read, any answer is cut off.",
    }),
    idle_timeout_ms: durationMs(1)
      .default(300_000)
      .meta({ description: "How long a connection without a call stays open." }),
    ping_interval_ms: durationMs(1).default(30_000).meta({
      description: "Time between pings on an HTTP/2 connection with calls, which find callers that vanished.",
    }),
    ping_timeout_ms: durationMs(1)
      .default(20_000)
      .meta({ description: "How long the answer to such a ping may take." }),
  })
  .prefault({})
  .meta({ description: "Limits of the server." });

/** The listener, who may use it, and how it ends. */
export const serverKeys = {
  listen: plainText(300).default("127.0.0.1:8080").meta({
    description:
      "Address and port, such as `0.0.0.0:8080` or `[::1]:0`. Port 0 takes a free one; `--listen` comes first.",
  }),
  allow_open: z.boolean().default(false).meta({
    description: "Whether a listener that others can reach may do without `auth.api_keys` and `tls.client_ca`.",
  }),
  hosts: z.array(plainText(260)).max(256).default([]).meta({
    description:
      "Host names, with or without a port, that requests to a loopback listener may name besides loopback (against DNS rebinding).",
  }),
  cors: z
    .array(plainText(512))
    .max(256)
    .default([])
    .meta({ description: "Origins of web pages that may call besides our own, such as `https://app.example.com`." }),
  tls: z
    .strictObject({
      cert: filePath.meta({ env: true, description: "PEM file of the certificate chain." }),
      key: filePath.meta({ env: true, description: "PEM file of its private key." }),
      client_ca: filePath.optional().meta({
        env: true,
        defaultText: "none, clients need no certificate",
        description: "PEM file of the authorities whose client certificates are required.",
      }),
    })
    .optional()
    .meta({ defaultText: "none, cleartext", description: "TLS of the listener." }),
  auth: z
    .strictObject({
      api_keys: z
        .array(
          z.strictObject({
            id: plainText(64).meta({ description: "Name of the key, for logs and the ledger. Unique." }),
            tenant: z
              .string()
              .regex(
                /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/,
                "must be 1 to 64 lower-case letters, digits, hyphens or underscores",
              )
              .meta({ description: "Whose key it is. Tenants share nothing." }),
            sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits, as `sluice key create` prints them")
              .meta({ env: true, secret: true, description: "SHA-256 of the key, in lower-case hex. Unique." }),
            admin: z.boolean().default(false).meta({
              description:
                "Whether its callers may use `AdminService`: see the figures of the whole process and purge the answers of every tenant.",
            }),
            ...perMinute,
          }),
        )
        .max(10_000)
        .default([])
        .meta({
          description: "Keys of callers. Empty: open, and every caller is tenant `local` and may use `AdminService`.",
        }),
    })
    .prefault({})
    .meta({ description: "Who may call." }),
  wire: z.enum(["native", "connect"]).default("native").meta({
    description:
      "Who serves gRPC: `native`, our own path on HTTP/2, or `connect`, the library that serves Connect and gRPC-Web too. Callers see no difference.",
  }),
  limits,
  drain_ms: durationMs(0)
    .default(30_000)
    .meta({ description: "How long calls in flight may take to finish after SIGTERM or SIGINT." }),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .meta({ description: "Least level that is written." }),
    })
    .prefault({})
    .meta({ description: "The log, JSON lines on standard output." }),
};
