import { type Command, Option } from "commander";
import { systemClock } from "../core/clock.ts";
import { type CollectionsOptions, deleteCollection, listCollections } from "./collections.ts";
import type { CommandSettings } from "./command-settings.ts";
import {
  type DocumentsOptions,
  deleteDocuments,
  listDocuments,
  type ShowDocumentOptions,
  showDocument,
} from "./documents.ts";
import { type EmbedOptions, embed } from "./embed.ts";
import { type IngestOptions, ingest } from "./ingest.ts";
import { stopSignal } from "./process-events.ts";
import { type ReembedOptions, reembedCollection } from "./reembed-collection.ts";
import { addRetrievalOptions } from "./retrieval-options.ts";
import { type RetrieveOptions, retrieve } from "./retrieve.ts";
import { apiKeyOption, connect, serverOption } from "./server-options.ts";

const INGEST_HELP = `
Reads .txt, .text, .md, .markdown, .html, .htm and .pdf files of at most 4 MiB. Hidden files, node_modules, links and
everything else are passed by and counted. A document's id is its path below the folder. Documents that have not changed
cost nothing, so an ingest that was stopped goes on where it was when it is run again.

After a whole run, documents whose files are gone are removed from the collection: keep one folder to a collection, or
use --keep-removed. An empty folder removes nothing, and neither does one that cannot be read in full. More than ten and
more than half of the documents go only with --allow-mass-removal.

Patterns are globs of paths below the folder; one without / is for names at any depth. A value of --metadata is text,
or a number or bool where it is written as one; "5" in double quotes is text.

It ends with 1 where files failed, which are named, and with 3 where it was stopped.

Examples:
  $ sluice ingest docs --collection handbook
  $ sluice ingest docs --collection handbook --exclude drafts/ --exclude '*.html' --metadata team=support
  $ sluice ingest docs --collection handbook --dry-run`;

const RETRIEVE_HELP = `
Shows of each chunk its cosine similarity, its id, where it lies in the document's text, the headings above it, and its
beginning. A query that begins with @ is read from a file, @- from standard input.

Examples:
  $ sluice retrieve handbook "How long is the notice period?"
  $ sluice retrieve handbook "notice period" --hybrid --top-k 3 --where team=support --where 'year>=2024'`;

const DOCUMENTS_HELP = `
Examples:
  $ sluice documents handbook --prefix policies/
  $ sluice documents show handbook policies/leave.md --from 1024 --to 2048
  $ sluice documents delete handbook policies/old.md`;

const COLLECTIONS_HELP = `
Examples:
  $ sluice collections
  $ sluice collections reembed handbook --model large
  $ sluice collections delete handbook --yes`;

const EMBED_HELP = `
Prints one vector a line, as JSON. A text of - is read from standard input.

Examples:
  $ sluice embed "How long is the notice period?"
  $ sluice embed --model large --json - < question.txt`;

/** The commands for documents and embeddings of a running server. */
export function addCorpusCommands(program: Command, settings: CommandSettings): void {
  addIngest(program, settings);
  addRetrieve(program, settings);
  addEmbed(program, settings);
  addCollections(program, settings);
  addDocuments(program, settings);
}

function withServer(command: Command, json: string): Command {
  return command.option("--json", json).addOption(serverOption()).addOption(apiKeyOption());
}

function addIngest(program: Command, { terminal, run }: CommandSettings): void {
  const command = program
    .command("ingest")
    .description("put the files of a folder into a collection of a running server")
    .argument("<folder>", "the folder")
    .requiredOption("--collection <name>", "the collection; made where it does not exist")
    .addOption(repeated("--include <glob>", "only these files; may be repeated"))
    .addOption(repeated("--exclude <glob>", "not these files or folders; may be repeated"))
    .option("--embedding-model <alias>", "of a new collection (default: the server's)")
    .option("--language <name>", "of a new collection's full-text search, such as german (default: english)")
    .addOption(repeated("--metadata <key=value>", "metadata of every document; may be repeated"))
    .option("--dry-run", "say what would be done and cost, and do nothing")
    .option("--keep-removed", "keep documents whose files are gone")
    .option("--allow-mass-removal", "remove them even where they are more than half")
    .option("--allow-empty", "a folder without documents is no error; nothing is removed then")
    .addOption(new Option("--concurrency <number>", "requests under way at a time, 1 to 16").default("4"))
    .addHelpText("after", INGEST_HELP);
  withServer(command, "print the summary as JSON").action(
    run((folder: string, options: IngestOptions) => {
      const ports = { client: connect(options, terminal), clock: systemClock, stop: stopped() };
      return ingest(folder, options, ports, terminal);
    }),
  );
}

function addRetrieve(program: Command, { terminal, run }: CommandSettings): void {
  const command = addRetrievalOptions(
    program
      .command("retrieve")
      .description("look for chunks of a collection")
      .argument("<collection>", "name of the collection")
      .argument("<query>", "what to look for"),
  ).addHelpText("after", RETRIEVE_HELP);
  withServer(command, "print the answer, or the status of the failure, as JSON").action(
    run((collection: string, query: string, options: RetrieveOptions) =>
      retrieve(collection, query, options, connect(options, terminal), terminal),
    ),
  );
}

function addEmbed(program: Command, { terminal, run }: CommandSettings): void {
  const command = program
    .command("embed")
    .description("show the vectors of texts")
    .argument("<text...>", "the texts, or - for standard input")
    .option("--model <alias>", "embedding model (default: the server's)")
    .addHelpText("after", EMBED_HELP);
  withServer(command, "print the whole answer, or the status of the failure, as JSON").action(
    run((texts: string[], options: EmbedOptions) => embed(texts, options, connect(options, terminal), terminal)),
  );
}

function addCollections(program: Command, { terminal, run }: CommandSettings): void {
  const asJson = "print the answer, or the status of the failure, as JSON";
  const collections = program
    .command("collections")
    .description("look at the collections of a running server, delete them, change their embedding model")
    .enablePositionalOptions()
    .addHelpText("after", COLLECTIONS_HELP);
  withServer(collections, asJson).action(
    run((options: CollectionsOptions) => listCollections(options, connect(options, terminal), terminal)),
  );
  const remove = collections
    .command("delete")
    .description("delete a collection with everything in it")
    .argument("<name>", "name of the collection")
    .option("--yes", "yes, everything in it");
  withServer(remove, asJson).action(
    run((name: string, options: CollectionsOptions & { yes?: boolean }) =>
      deleteCollection(name, options, connect(options, terminal), terminal),
    ),
  );
  const reembed = collections
    .command("reembed")
    .description("embed all chunks anew, and switch over when the last one is there; goes on where it was stopped")
    .argument("<name>", "name of the collection")
    .requiredOption("--model <alias>", "the embedding model");
  withServer(reembed, "print the last event as JSON").action(
    run((name: string, options: ReembedOptions) =>
      reembedCollection(name, options, connect(options, terminal), terminal, stopped()),
    ),
  );
}

function addDocuments(program: Command, { terminal, run }: CommandSettings): void {
  const asJson = "print the answer, or the status of the failure, as JSON";
  const documents = program
    .command("documents")
    .description("look at the documents of a collection, and delete them")
    .enablePositionalOptions()
    .argument("<collection>", "name of the collection")
    .option("--prefix <text>", "only ids that begin so")
    .addHelpText("after", DOCUMENTS_HELP);
  withServer(documents, asJson).action(
    run((collection: string, options: DocumentsOptions) =>
      listDocuments(collection, options, connect(options, terminal), terminal),
    ),
  );
  const show = documents
    .command("show")
    .description("print a document's text, or the bytes between two offsets")
    .argument("<collection>", "name of the collection")
    .argument("<id>", "id of the document")
    .option("--from <bytes>", "offset of the first byte")
    .option("--to <bytes>", "offset after the last byte");
  withServer(show, asJson).action(
    run((collection: string, id: string, options: ShowDocumentOptions) =>
      showDocument(collection, id, options, connect(options, terminal), terminal),
    ),
  );
  const remove = documents
    .command("delete")
    .description("delete documents")
    .argument("<collection>", "name of the collection")
    .argument("<id...>", "ids of the documents");
  withServer(remove, asJson).action(
    run((collection: string, ids: string[], options: DocumentsOptions) =>
      deleteDocuments(collection, ids, options, connect(options, terminal), terminal),
    ),
  );
}

/** Aborted by the first Ctrl-C. A second one ends the process. */
function stopped(): AbortSignal {
  const controller = new AbortController();
  void stopSignal().then(() => controller.abort(new Error("stopped")));
  return controller.signal;
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([], "none")
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}
