import * as z from "zod";
import { count, durationMs, plainText } from "./key.ts";

/** Where data lies. */
export const storeKeys = {
  data_dir: plainText(4096).default("./data").meta({
    env: true,
    description: "Folder of the spool and of the embedded database. Relative to the working directory.",
  }),
  prompts_dir: plainText(4096).optional().meta({
    env: true,
    defaultText: "`./prompts` if it exists, else the prompts that ship with Sluice",
    description: "Folder of the prompt files. Relative to the working directory.",
  }),
  database_url: plainText(4096).optional().meta({
    env: true,
    secret: true,
    defaultText: "none, an embedded database in `data_dir`",
    description: "Postgres, `postgres://…`.",
  }),
  sample_corpus: z.boolean().default(false).meta({
    defaultText: "`false`; without a configuration file and a database `true`",
    description:
      "Whether the small handbook that ships with Sluice is put into the collection `handbook` where there is no collection yet. Only where the service is open.",
  }),
  redis_url: plainText(4096).optional().meta({
    env: true,
    secret: true,
    defaultText: "none, the memory layer alone",
    description: "Redis for the shared layer of the cache, `redis://…` or `rediss://…`.",
  }),
  cache: z
    .strictObject({
      memory_mb: z
        .int()
        .min(0)
        .max(1024 * 1024)
        .default(256)
        .meta({ description: "Size of the memory layer in MiB. 0: none." }),
      ttl_seconds: z
        .int()
        .min(1)
        .max(2_592_000)
        .default(86_400)
        .meta({ description: "How long an answer is kept where the request does not say. At most 30 days." }),
      redis_timeout_ms: durationMs(1)
        .default(50)
        .meta({ description: "Limit of one request to Redis; a slower one counts as a miss." }),
    })
    .prefault({})
    .meta({ description: "The cache of answers." }),
  spool: z
    .strictObject({
      max_mb: count(1024 * 1024)
        .default(256)
        .meta({
          description:
            "Size in MiB of the ledger's records that wait for the database. When it is full, new paid calls are refused.",
        }),
    })
    .prefault({})
    .meta({ description: "Records of charges on their way to the database." }),
};
