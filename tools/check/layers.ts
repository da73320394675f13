/** What the files of one layer may import. */
export interface Layer {
  /** The layers of src (and gen) besides its own. */
  layers: string[];
  /** npm packages: a name, or a scope that ends in a slash and stands for all its packages. */
  packages: string[];
  /** Whether it may use Node's own modules. Default: true. */
  node?: boolean;
}

/**
 * The layers, lowest first; a layer may only name lower ones. A folder of src is a layer; so are main.ts and config.ts
 * (which belongs to the folder config); every other file at the top of src wires things together and belongs to `app`.
 */
export const layers: Record<string, Layer> = {
  core: { layers: ["gen"], packages: ["@bufbuild/protobuf"], node: false },
  pipeline: { layers: ["gen", "core"], packages: ["@bufbuild/", "ajv", "ajv-formats", "re2js"] },
  adapters: {
    layers: ["gen", "core"],
    packages: [
      ...["openai", "undici", "pg", "pgvector", "ioredis", "winston", "handlebars", "yaml", "lru-cache"],
      ...["ajv", "ajv-formats", "re2js", "gpt-tokenizer", "@bufbuild/", "@electric-sql/", "@pydantic/genai-prices"],
      ...["htmlparser2", "mdast-util-from-markdown", "unpdf", "@energetic-ai/"],
    ],
  },
  config: { layers: ["gen", "core", "adapters"], packages: ["zod"] },
  rpc: { layers: ["gen", "core", "pipeline"], packages: ["@connectrpc/", "@bufbuild/"] },
  web: { layers: ["gen"], packages: ["@connectrpc/", "@bufbuild/"] },
  app: { layers: ["gen", "core", "pipeline", "adapters", "config", "rpc", "web"], packages: ["@bufbuild/protobuf"] },
  cli: {
    layers: ["gen", "core", "pipeline", "adapters", "config", "rpc", "app"],
    packages: ["@bufbuild/protobuf", "commander"],
  },
  main: { layers: ["cli", "app", "config"], packages: ["commander"] },
};

/** The layer of a file, given by its path from the top folder with slashes, or undefined where it has none. */
export function layerOf(path: string): string | undefined {
  if (path.startsWith("gen/")) return "gen";
  const [top, folder, ...rest] = path.split("/");
  if (top !== "src" || folder === undefined) return undefined;
  if (rest.length > 0) return folder;
  if (folder === "main.ts") return "main";
  return folder === "config.ts" ? "config" : "app";
}
