import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { build } from "esbuild";

/** The browser example, served from a loopback port of its own: another origin than the server's. */
export interface PageServer {
  origin: string;
  close(): Promise<void>;
}

/** Bundles examples/browser and serves it. */
export async function servePage(): Promise<PageServer> {
  const bundle = await build({
    entryPoints: ["examples/browser/main.ts"],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "silent",
  });
  const files = new Map<string, [type: string, body: Uint8Array]>([
    ["/", ["text/html", await readFile("examples/browser/index.html")]],
    ["/main.js", ["text/javascript", bundle.outputFiles[0]?.contents ?? new Uint8Array()]],
  ]);
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? "/", "http://localhost").pathname);
    if (!file) return response.writeHead(404).end();
    return response.writeHead(200, { "content-type": file[0] }).end(file[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
