import { fileURLToPath } from "node:url";
import { createDatabase, startPostgres, type TestDatabase } from "./postgres-server.ts";
import { findPostgres, findProgram, findPython, succeeds } from "./programs.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

/** What a tier hands to its tests when the machine has it. */
export interface Tiers {
  /** Headless Chromium for playwright-core. */
  chromium: { program: string };
  /** Redis. `url` is one server shared by the run, started at the first call; `start` one that the test owns. */
  redis: { url(): Promise<string>; start(port?: number): Promise<RedisServer> };
  /** Postgres with pgvector. One server is shared by the run, started at the first call; each call is a new database. */
  postgres: { createDatabase(): Promise<TestDatabase> };
  /** Python 3 with grpcio and protobuf. */
  python: { program: string };
  /** Go, with the modules of examples/go and test/interop/go in its module cache. */
  go: { program: string };
  grpcurl: { program: string };
  curl: { program: string };
  git: { program: string };
}

/** Why a tier was not run, and how to get it. */
export interface Missing {
  tier: keyof Tiers;
  reason: string;
  remedy: string;
}

const found = new Map<keyof Tiers, Tiers[keyof Tiers] | Missing>();
const missing = new Map<keyof Tiers, Missing>();

/** The tiers that this run asked for and did not have, each once. */
export function missingTiers(): Missing[] {
  return [...missing.values()];
}

/**
 * Defines tests that need something from the machine. Where it is there, `define` is called at once with it and defines
 * suites and tests as usual. Where it is not, nothing is defined and the end of `npm test` says so; with `CI=true` a
 * failing test takes its place, so that nothing goes untested unnoticed.
 */
export function tier<Name extends keyof Tiers>(name: Name, define: (tier: Tiers[Name]) => void): void {
  const result = look(name);
  if (!("remedy" in result)) {
    define(result);
    // Belongs to the suite that encloses the tier; at the top of a file that is the whole run.
    after(() => stopShared(name));
    return;
  }
  missing.set(name, result);
  if (process.env.CI === "true") {
    it(`finds what the tests of the tier "${name}" need`, () => {
      throw new Error(`${result.reason}; ${result.remedy}`);
    });
  }
}

/** Whether there is a tier of that name. */
export function isTierName(name: string): name is keyof Tiers {
  return Object.hasOwn(finders, name);
}

function look<Name extends keyof Tiers>(name: Name): Tiers[Name] | Missing;
function look(name: keyof Tiers): Tiers[keyof Tiers] | Missing {
  const known = found.get(name) ?? finders[name]();
  found.set(name, known);
  return known;
}

const finders: { [Name in keyof Tiers]: () => Tiers[Name] | Missing } = {
  chromium: () => {
    const program = findProgram("chromium", "chromium-browser", "google-chrome");
    return program ? { program } : lacks("chromium", "no chromium on the PATH", "apt-get install chromium");
  },
  redis: () => {
    const program = findProgram("redis-server");
    if (!program) return lacks("redis", "no redis-server on the PATH", "apt-get install redis-server");
    return {
      url: async () => (await share("redis", () => startRedis(program))).url,
      start: (port) => startRedis(program, port),
    };
  },
  postgres: findPostgresTier,
  python: () => {
    const program = findPython("grpc", "google.protobuf");
    if (program) return { program };
    const remedy = "apt-get install python3-grpcio python3-protobuf, or name one that has them in SLUICE_TEST_PYTHON";
    return lacks("python", "no Python that has grpcio and protobuf", remedy);
  },
  go: findGoTier,
  grpcurl: () => {
    const program = findProgram("grpcurl");
    return program ? { program } : lacks("grpcurl", "no grpcurl on the PATH", "see tools/ci/grpcurl.sh");
  },
  curl: () => {
    const program = findProgram("curl");
    return program ? { program } : lacks("curl", "no curl on the PATH", "apt-get install curl");
  },
  git: () => {
    const program = findProgram("git");
    return program ? { program } : lacks("git", "no git on the PATH", "apt-get install git");
  },
};

function lacks(tier: keyof Tiers, reason: string, remedy: string): Missing {
  return { tier, reason, remedy };
}

function findPostgresTier(): Tiers["postgres"] | Missing {
  const url = process.env.SLUICE_TEST_DATABASE_URL;
  if (url) return { createDatabase: () => createDatabase(url) };
  const remedy = "see tools/ci/postgres.sh, or name a server that has it in SLUICE_TEST_DATABASE_URL";
  const installation = findPostgres();
  if (!installation) return lacks("postgres", "no Postgres server programs", remedy);
  if (!installation.hasVector) return lacks("postgres", `no pgvector for ${installation.binFolder}`, remedy);
  if (process.getuid?.() === 0 && !succeeds("id", ["postgres"])) {
    return lacks("postgres", "Postgres refuses to run as root, and there is no user postgres", "useradd postgres");
  }
  return {
    createDatabase: async () =>
      createDatabase((await share("postgres", () => startPostgres(installation.binFolder))).url),
  };
}

function findGoTier(): Tiers["go"] | Missing {
  const program = findProgram("go");
  if (!program) return lacks("go", "no go on the PATH", "install Go 1.21 or later");
  const cwd = fileURLToPath(new URL("../../examples/go", import.meta.url));
  // GOPROXY=off: whether everything is in the module cache already, since tests must not need a network.
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "-mod=readonly" };
  const packages = ["tool", "google.golang.org/grpc", "google.golang.org/genproto/googleapis/rpc/errdetails"];
  if (succeeds(program, ["list", "-deps", ...packages], { cwd, env })) return { program };
  return lacks("go", "the modules of examples/go are not in Go's module cache", "(cd examples/go && go mod download)");
}

interface SharedServer {
  url: string;
  stop(): Promise<void>;
}

const shared = new Map<keyof Tiers, Promise<SharedServer>>();

function share(name: keyof Tiers, start: () => Promise<SharedServer>): Promise<SharedServer> {
  const server = shared.get(name) ?? start();
  shared.set(name, server);
  return server;
}

async function stopShared(name: keyof Tiers): Promise<void> {
  const server = shared.get(name);
  shared.delete(name);
  await (await server)?.stop();
}
